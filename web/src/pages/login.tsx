import { useState } from 'preact/hooks';
import { ApiError, call } from '../api';
import { Logo } from '../app';

export function Login({ version, done }: { version: string; done: () => void }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  return (
    <main class="login">
      <form
        class="panel login-card"
        onSubmit={async (event) => {
          event.preventDefault();
          const token = String(new FormData(event.currentTarget as HTMLFormElement).get('token') ?? '');
          setBusy(true);
          try {
            await call('/api/login', { method: 'POST', body: { token } });
            done();
          } catch (problem) {
            setError((problem as ApiError).status === 401 ? 'That is not the token.' : (problem as Error).message);
          }
          setBusy(false);
        }}
      >
        <Logo />
        <h1>Edgecase</h1>
        <p class="lead">This listener asks for a token. It stands in the settings of the edge, under <code>[admin]</code>.</p>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus aria-describedby={error ? 'login-error' : undefined} aria-invalid={error ? true : undefined} />
        <p class="login-error" id="login-error" role="alert">{error}</p>
        <button type="submit" class="button button-primary" disabled={busy}>Log in</button>
        <p class="faint num">{version}</p>
      </form>
    </main>
  );
}
