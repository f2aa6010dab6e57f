// Owns the origins: health, pool, measured idle timeout, and the HTTP/2 switch.
import { useState } from 'preact/hooks';
import { ApiError, call, type Http2Switch, type Origin, useApi } from '../api';
import { compact, count, duration, percent, plural } from '../format';
import { link } from '../router';
import { announce, Empty, Failure, Foreign, Icon, PageHead, Segmented, Skeleton, Stale } from '../ui';

type Origins = { origins: Origin[] };

function health(origin: Origin): { tone: string; word: string } {
  if (origin.pools.some((pool) => !pool.healthy)) return { tone: 'bad', word: origin.pools.every((pool) => !pool.healthy) ? 'Unhealthy' : 'Partly unhealthy' };
  const rate = origin.requests ? (origin.failures ?? 0) / origin.requests : 0;
  if (origin.pools.length > 0) return { tone: rate > 0.05 ? 'warn' : 'good', word: rate > 0.05 ? 'Healthy, but failing' : 'Healthy' };
  if (origin.requests === null) return { tone: 'quiet', word: 'Not known' };
  if (origin.requests === 0) return { tone: 'quiet', word: 'No traffic' };
  return rate > 0.05 ? { tone: 'bad', word: 'Failing' } : rate > 0 ? { tone: 'warn', word: 'Some failures' } : { tone: 'good', word: 'No failure' };
}

function OriginCard({ origin, changed }: { origin: Origin; changed: (next: Origins) => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const plain = origin.url.startsWith('http://');
  const state = health(origin);
  const set = async (http2: Http2Switch) => {
    setBusy(true);
    setError(null);
    try {
      changed(await call<Origins>('/api/origins/http2', { method: 'PUT', body: { origin: origin.url, http2 } }));
      announce(`HTTP/2 to ${origin.url}: ${http2 === 'configured' ? 'as configured' : http2}`);
    } catch (problem) {
      setError((problem as ApiError).message);
    }
    setBusy(false);
  };
  const idle = origin.idle_timeout_ms ?? null;
  return (
    <article class="panel origin">
      <header class="origin-head">
        <h2 class="mono origin-url"><Foreign text={origin.url} /></h2>
        <span class={`state state-${state.tone}`}><Icon name={state.tone === 'bad' ? 'close' : state.tone === 'warn' ? 'warn' : state.tone === 'good' ? 'check' : 'pause'} size={14} />{state.word}</span>
      </header>
      <dl class="origin-figures num">
        <div><dt>Requests, last hour</dt><dd>{origin.requests === null ? '–' : compact(origin.requests)}</dd></div>
        <div><dt>Failures</dt><dd>{origin.failures ? <a class="tone-bad" href={link('/cases', { origin: origin.url, since: '1h' })}>{count(origin.failures)} <span class="rate">{percent(origin.failures / Math.max(1, origin.requests ?? 0))}</span></a> : (origin.failures ?? '–')}</dd></div>
        <div><dt>p50 / p95</dt><dd>{duration(origin.p50_ms)} <span class="faint">/</span> {duration(origin.p95_ms)}</dd></div>
        <div><dt>Connections</dt><dd>{origin.connections ? <>{count(origin.connections.active)} <span class="faint">in use,</span> {count(origin.connections.idle)} <span class="faint">idle</span></> : <span class="faint">not known</span>}</dd></div>
      </dl>
      <div class="origin-row">
        <div><h3>Idle timeout</h3><p class="origin-note">{idle === null ? 'Not measured yet: no idle connection has been closed by the origin.' : <>The origin closes idle connections after <b class="num">{duration(idle)}</b>. A <code>pool_idle</code> of the edge below that keeps reuse from failing.</>}</p></div>
      </div>
      <div class="origin-row">
        <div><h3>HTTP/2</h3><p class="origin-note">{plain ? 'Never offered to a plain http origin.' : <>{origin.http2 ? 'Offered now' : 'Not offered now'}; the configuration says {origin.http2_configured ? 'on' : 'off'}.</>}</p></div>
        <Segmented<Http2Switch> label={`HTTP/2 to ${origin.url}`} value={origin.http2_switch} disabled={busy || plain} onChange={set} options={[{ value: 'off', label: 'Off' }, { value: 'configured', label: 'As configured' }, { value: 'on', label: 'On' }]} />
      </div>
      {error ? <p class="inline-error" role="alert"><Icon name="warn" size={14} /><Foreign text={error} /></p> : null}
      {origin.pools.length > 0 ? (
        <ul class="pools">{origin.pools.map((pool) => (
          <li key={pool.name}><span class={`state state-${pool.healthy ? 'good' : 'bad'}`}><Icon name={pool.healthy ? 'check' : 'close'} size={13} />{pool.healthy ? 'healthy' : 'unhealthy'}</span><span>pool <b><Foreign text={pool.name} /></b></span>{pool.last_error ? <span class="pool-error"><Foreign text={pool.last_error} /></span> : null}</li>
        ))}</ul>
      ) : <p class="origin-note pools-none">No health checks are configured for it.</p>}
    </article>
  );
}

export function OriginsPage() {
  const { data, error, reload } = useApi<Origins>('/api/origins', 10_000);
  const [set, setSet] = useState<{ of: Origins | null; now: Origins } | null>(null);
  const shown = set && set.of === data ? set.now : data;
  const isSick = (origin: Origin) => origin.pools.some((pool) => !pool.healthy);
  const origins = [...(shown?.origins ?? [])].sort((a, b) => Number(isSick(b)) - Number(isSick(a)));
  const sick = origins.filter(isSick).length;
  return (
    <>
      <PageHead title={shown ? (sick > 0 ? `${sick} of ${plural(shown.origins.length, 'origin')} ${sick === 1 ? 'is' : 'are'} unhealthy` : plural(shown.origins.length, 'origin')) : 'Origins'} lead="Figures are of the last hour. The HTTP/2 switch acts at once and loses no request." />
      {shown ? <Stale error={error} retry={reload} /> : null}
      {error && !shown ? <section class="panel"><Failure error={error} retry={reload} /></section> : !shown ? <div class="origin-grid">{[0, 1].map((i) => <section key={i} class="panel"><Skeleton rows={8} /></section>)}</div> : shown.origins.length === 0 ? (
        <section class="panel"><Empty title="No origin is configured" icon="origins"><p>Start the edge with <code>--origin URL</code> or name one in the settings.</p></Empty></section>
      ) : <div class="origin-grid">{origins.map((origin) => <OriginCard key={origin.url} origin={origin} changed={(now) => setSet({ of: data, now })} />)}</div>}
    </>
  );
}
