// Owns the frame around the pages: navigation, search, theme, keys, and the door if a token is demanded.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call, type Status, useApi, whenMissing, whenUnauthorized } from './api';
import { isUtc, rayIds, setUtc } from './format';
import { CasePage } from './pages/case';
import { CasesPage } from './pages/cases';
import { EdgePage } from './pages/edge';
import { FindingsPage } from './pages/findings';
import { Login } from './pages/login';
import { OriginsPage } from './pages/origins';
import { SearchPage } from './pages/search';
import { TailPage } from './pages/tail';
import { TrafficPage } from './pages/traffic';
import { isDark } from './palette';
import { link, navigate, type Route, useRoute } from './router';
import { announce, Announcer, Empty, Icon, type IconName, PageHead } from './ui';

const PAGES: { path: string; name: string; icon: IconName; key: string; ranged?: boolean; desk?: boolean }[] = [
  { path: '/', name: 'Traffic', icon: 'traffic', key: 't', ranged: true },
  { path: '/cases', name: 'Cases', icon: 'cases', key: 'c', ranged: true },
  { path: '/findings', name: 'Findings', icon: 'findings', key: 'f' },
  { path: '/origins', name: 'Origins', icon: 'origins', key: 'o' },
  { path: '/tail', name: 'Live tail', icon: 'tail', key: 'l' },
  { path: '/edge', name: 'Edge', icon: 'settings', key: 'e' },
];

function isCurrent(path: string, route: Route): boolean {
  if (path === '/') return route.path === '/';
  return route.path === path || (path === '/cases' && route.path.startsWith('/ray'));
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" width="26" height="26" aria-hidden="true" focusable="false">
      <path class="logo-ground" d="M12 1l9.5 5.5v11L12 23l-9.5-5.5v-11z" />
      <path class="logo-line" d="M15.5 8.2H9v7.6h6.5M9 12h3.4" /><circle class="logo-dot" cx="15.6" cy="12" r="1.5" />
    </svg>
  );
}

function Search() {
  const field = useRef<HTMLInputElement>(null);
  const [hint, setHint] = useState('');
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.matches('input,textarea,select,[contenteditable]');
      if ((event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) || (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const go = (text: string): boolean => {
    const ids = rayIds(text);
    if (ids.length === 1) {
      setHint('');
      if (field.current) {
        field.current.value = '';
        field.current.blur();
      }
      navigate(`/ray/${ids[0]}`);
      return true;
    }
    if (ids.length > 1) {
      sessionStorage.setItem('pasted', text.slice(0, 100_000));
      if (field.current) field.current.value = '';
      navigate('/ray');
      return true;
    }
    return false;
  };
  return (
    <form
      class="search" role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const text = field.current?.value ?? '';
        if (text.trim() === '') navigate('/ray');
        else if (!go(text)) setHint('No Ray ID in that: 16 digits or letters a to f.');
      }}
    >
      <Icon name="search" size={16} />
      <input
        ref={field} type="search" name="ray" aria-label="Find a Ray ID in any text" placeholder={innerWidth < 700 ? 'Find a Ray ID' : 'Paste anything with a Ray ID'} autocomplete="off" spellcheck={false}
        aria-describedby={hint ? 'search-hint' : undefined}
        onPaste={(event) => {
          const text = event.clipboardData?.getData('text') ?? '';
          if ((field.current?.value ?? '') === '' && go(text)) event.preventDefault();
        }}
        onInput={() => setHint('')} onBlur={() => setHint('')}
      />
      <kbd aria-hidden="true">/</kbd>
      {hint ? <p class="search-hint" id="search-hint" role="alert">{hint}</p> : null}
    </form>
  );
}

function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={close} onClick={(event) => { if (event.target === dialog.current) close(); }}>
      <header class="dialog-head"><h2 id="help-title">Keys</h2><button type="button" class="button button-icon" aria-label="Close" onClick={close}><Icon name="close" size={16} /></button></header>
      <dl class="keys">
        <div><dt><kbd>/</kbd></dt><dd>find a Ray ID in any text</dd></div>
        {PAGES.map((page) => <div key={page.key}><dt><kbd>g</kbd> <kbd>{page.key}</kbd></dt><dd>{page.name}</dd></div>)}
        <div><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next, previous row of a list</dd></div>
        <div><dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>read a chart; with Shift select, then Enter to zoom</dd></div>
        <div><dt><kbd>?</kbd></dt><dd>this list</dd></div>
      </dl>
    </dialog>
  );
}

function page(route: Route, theme: string, status: Status | null) {
  const ray = /^\/ray\/([^/]+)\/?$/.exec(route.path);
  if (ray) return <CasePage key={ray[1]} id={decodeURIComponent(ray[1] as string)} secrets={route.query.get('secrets') === '1'} />;
  switch (route.path.replace(/(.)\/$/, '$1')) {
    case '/': return <TrafficPage route={route} theme={theme} />;
    case '/ray': return <SearchPage />;
    case '/cases': return <CasesPage route={route} />;
    case '/findings': return <FindingsPage />;
    case '/origins': return <OriginsPage />;
    case '/tail': return <TailPage route={route} />;
    case '/edge': return <EdgePage status={status} />;
    default:
      return (
        <>
          <PageHead title="No such page" />
          <section class="panel"><Empty title="Nothing is at this address" icon="warn"><p>Was it a Ray ID? Paste it into the search above. Otherwise start at the <a href="/">traffic</a>.</p></Empty></section>
        </>
      );
  }
}

const TITLES: Record<string, string> = { '/': 'Traffic', '/ray': 'Find a ray' };

export function App() {
  const route = useRoute();
  const [locked, setLocked] = useState(false);
  const [help, setHelp] = useState(false);
  const [theme, setTheme] = useState(isDark() ? 'dark' : 'light');
  const [zone, setZone] = useState(isUtc());
  const status = useApi<Status>('/api/status', 30_000);
  const [missing, setMissing] = useState('');
  useEffect(() => whenUnauthorized(() => setLocked(true)), []);
  useEffect(() => whenMissing(setMissing), []);

  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(isDark() ? 'dark' : 'light');
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  const switchTheme = useCallback(() => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    try {
      localStorage.setItem('theme', next);
    } catch {
      // It then holds until the page is left.
    }
    setTheme(next);
  }, []);

  // A new page is announced by its heading, as a reload would.
  const first = useRef(true);
  useEffect(() => {
    const known = PAGES.find((one) => one.path === route.path)?.name ?? TITLES[route.path];
    const ray = /^\/ray\/(\w+)/.exec(route.path);
    document.title = `${ray ? `Ray ${ray[1]}` : (known ?? 'Not found')} · Edgecase`;
    if (first.current) first.current = false;
    else document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [route.path]);

  useEffect(() => {
    let armed = 0;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input,textarea,select')) return;
      if (Date.now() - armed < 1200) {
        armed = 0;
        const to = PAGES.find((one) => one.key === event.key);
        if (to) {
          event.preventDefault();
          navigate(to.path);
        }
        return;
      }
      if (event.key === 'g') armed = Date.now();
      else if (event.key === '?') setHelp(true);
      else if (event.key === 'j' || event.key === 'k') {
        const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
        if (rows.length === 0) return;
        const now = rows.indexOf(document.activeElement as HTMLElement);
        const next = rows[now < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, now + (event.key === 'j' ? 1 : -1)))];
        next?.focus();
        next?.scrollIntoView({ block: 'nearest' });
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const range = { since: route.query.get('since'), until: route.query.get('until') };
  const keepsRange = route.path === '/' || route.path === '/cases';
  const about = status.data;
  if (locked) return <Login version={about?.version ?? ''} done={() => { setLocked(false); status.reload(); }} />;
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the content</a>
      <nav class="nav" aria-label="Pages">
        <a class="brand" href="/"><Logo /><span class="brand-name">Edgecase</span></a>
        <ul>
          {PAGES.map((one) => (
            <li key={one.path} class={one.path === '/edge' ? 'nav-edge' : ''}>
              <a href={one.ranged && keepsRange ? link(one.path, range) : one.path} aria-current={isCurrent(one.path, route) ? 'page' : undefined} title={`${one.name} (g ${one.key})`}>
                <Icon name={one.icon} /><span class="nav-name">{one.name}</span>
              </a>
            </li>
          ))}
        </ul>
        <div class="nav-foot">
          {about?.colo ? <p class="nav-about"><span class={`dot ${about.draining ? 'dot-warn' : 'dot-good'}`} aria-hidden="true" /><span>{about.colo}{about.draining ? ', draining' : ''}</span></p> : <p class="nav-about">&nbsp;</p>}
          <p class="nav-version num">{about ? about.version : ' '}</p>
        </div>
      </nav>
      <header class="top">
        <a class="brand brand-top" href="/" aria-label="Edgecase, traffic"><Logo /></a>
        <Search />
        <div class="top-tools">
          <button type="button" class="button button-quiet zone" aria-label={`Times are in ${zone ? 'UTC' : 'local time'}; switch`} title="UTC or local time" onClick={() => { setUtc(!zone); setZone(!zone); announce(`Times are now in ${zone ? 'local time' : 'UTC'}`); }}>{zone ? 'UTC' : 'Local'}</button>
          <button type="button" class="button button-quiet button-icon" aria-label={theme === 'dark' ? 'Light theme' : 'Dark theme'} title="Light or dark" onClick={switchTheme}><Icon name={theme === 'dark' ? 'sun' : 'moon'} size={17} /></button>
          <button type="button" class="button button-quiet button-icon help-button" aria-label="Keys" title="Keys (?)" onClick={() => setHelp(true)}><b aria-hidden="true">?</b></button>
          {about?.requires_token ? <button type="button" class="button button-quiet" onClick={async () => { await call('/api/logout', { method: 'POST', body: {} }).catch(() => undefined); setLocked(true); }}>Log out</button> : null}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {about?.draining ? <p class="banner" role="status"><Icon name="warn" size={16} /><span>This edge is draining: it finishes what is under way and tells load balancers to send nothing new. <a href="/edge">Change it</a></span></p> : null}
        {missing ? <p class="banner" role="status"><Icon name="warn" size={16} /><span>A part of the ledger does not answer, so what you see is incomplete: {missing}.</span></p> : null}
        {page(route, theme, about)}
      </main>
      {help ? <Help close={() => setHelp(false)} /> : null}
      <Announcer />
    </div>
  );
}
