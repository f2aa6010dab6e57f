// Owns the page of the edge itself: what it is, what it keeps, and its switches.
import { useState } from 'preact/hooks';
import { ApiError, call, type LedgerNodes, type Status, type Switches, useApi } from '../api';
import { ago, count, duration, fullMoment } from '../format';
import { link } from '../router';
import { announce, Failure, Icon, PageHead, Panel, Segmented, Skeleton, Stale } from '../ui';

const STORES: Record<string, string> = { sqlite: 'SQLite', clickhouse: 'ClickHouse' };

const PROFILES: Record<string, string> = {
  default: 'The edge’s own limits: 32 KiB of response headers.', guide: 'The guide’s limits: 32 KiB of response headers.',
  'cloudflare-2026': 'Cloudflare’s limits of today: 128 KiB of response headers.', 'cloudflare-legacy': 'Cloudflare’s older limits.',
};

/// The edges that share a ledger; nothing where this one keeps its own records.
function Ledger() {
  const { data, error, reload } = useApi<LedgerNodes>('/api/nodes', 15_000);
  if (!data || data.nodes.length === 0) return null;
  return (
    <Panel title="Edges of this ledger">
      <Stale error={error} retry={reload} />
      <div class="table-scroll">
        <table class="table num">
          <thead><tr><th scope="col">Edge</th><th scope="col">Last report</th><th scope="col" class="right">Recorded</th><th scope="col" class="right">Waiting</th><th scope="col" class="right">Lost</th><td /></tr></thead>
          <tbody>
            {data.nodes.map((node) => (
              <tr key={node.node}>
                <th scope="row">{node.node} <span class="faint">{node.colo}</span></th>
                <td title={fullMoment(node.seen)} class={node.silent ? 'tone-bad' : ''}>{node.silent ? <><Icon name="warn" size={13} /> silent, </> : null}{ago(node.seen)}</td>
                <td class="right">{count(node.recorded)}</td>
                <td class="right">{count(node.waiting)}</td>
                <td class={`right ${node.lost > 0 ? 'tone-bad' : ''}`}>{count(node.lost)}</td>
                <td class="right"><a href={link('/', { node: node.node })} aria-label={`Traffic of ${node.node}`}>traffic</a> <a href={link('/cases', { node: node.node })} aria-label={`Cases of ${node.node}`}>cases</a></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

export function EdgePage({ status }: { status: Status | null }) {
  const { data, error, reload } = useApi<Switches>('/api/switches', 15_000);
  const [now, setNow] = useState<{ of: Switches | null; value: Switches } | null>(null);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const shown = now && now.of === data ? now.value : data;
  const set = async (change: Partial<Pick<Switches, 'draining' | 'profile'>>, said: string) => {
    setBusy(true);
    setProblem(null);
    setAsking(false);
    try {
      const value = await call<Switches>('/api/switches', { method: 'PUT', body: change });
      setNow({ of: data, value });
      announce(said);
    } catch (error) {
      setProblem((error as ApiError).message);
    }
    setBusy(false);
  };
  const records = status?.records;
  return (
    <>
      <PageHead title="Edge" lead={status ? `Version ${status.version}${status.colo ? `, at ${status.colo}` : ''}.` : ' '} />
      {shown ? <Stale error={error} retry={reload} /> : null}
      <div class="halves">
        <Panel title="Switches">
          {error && !shown ? <Failure error={error} retry={reload} /> : !shown ? <Skeleton rows={5} class="switches-wait" /> : (
            <div class="switches">
              <div class="switch-row">
                <div><h3>Profile of limits</h3><p class="origin-note">{PROFILES[shown.profile] ?? 'Named limits and timeouts.'} A change holds until the next start.</p></div>
                <Segmented label="Profile of limits" value={shown.profile} disabled={busy} options={shown.profiles.map((profile) => ({ value: profile, label: profile }))} onChange={(profile) => set({ profile }, `Profile: ${profile}`)} />
              </div>
              <div class="switch-row">
                <div><h3>Draining</h3><p class="origin-note">{shown.draining ? 'The edge says it is not ready, so load balancers send nothing new.' : 'Takes this edge out of a load balancer: it says it is not ready and finishes what is under way.'}</p></div>
                {shown.draining ? <button type="button" class="button" disabled={busy} onClick={() => set({ draining: false }, 'The edge takes requests again')}>Stop draining</button>
                  : asking ? <span class="ask"><span>Really?</span><button type="button" class="button button-danger" disabled={busy} onClick={() => set({ draining: true }, 'The edge is draining')}>Drain</button><button type="button" class="button" onClick={() => setAsking(false)}>No</button></span>
                    : <button type="button" class="button" disabled={busy} onClick={() => setAsking(true)}>Drain this edge</button>}
              </div>
              {problem ? <p class="inline-error" role="alert"><Icon name="warn" size={14} />{problem}</p> : null}
            </div>
          )}
        </Panel>
        <Panel title="This edge">
          {!status ? <Skeleton rows={6} /> : (
            <dl class="facts facts-single num">
              <div><dt>Version</dt><dd>{status.version}</dd></div>
              {status.started ? <div><dt>Started</dt><dd title={fullMoment(status.started)}>{ago(status.started)}</dd></div> : null}
              {status.profile ? <div><dt>Profile</dt><dd>{shown?.profile ?? status.profile}</dd></div> : null}
              {records ? <><div><dt>Records written</dt><dd>{count(records.written)}</dd></div><div><dt>Cases</dt><dd><a href="/cases">{count(records.cases)}</a></dd></div>
                <div><dt>Records dropped</dt><dd class={records.dropped > 0 ? 'tone-bad' : ''}>{count(records.dropped)}</dd></div>{records.recorded === 'off' ? <div><dt>Kept</dt><dd class="tone-warn">nothing: retention.records is off</dd></div>
                  : <div><dt>Kept in</dt><dd>{STORES[records.store] ?? records.store}, for {duration(records.retention_hours * 3_600_000)}{records.recorded === 'failures' ? ', failures only' : ''}</dd></div>}</> : null}
            </dl>
          )}
        </Panel>
        <Panel title="For programs">
          <ul class="links">
            <li><a href="/metrics" data-native>/metrics</a><span class="faint">Prometheus</span></li>
            <li><a href="/openapi.json" data-native>/openapi.json</a><span class="faint">the API behind this dashboard</span></li>
            <li><a href="/healthz" data-native>/healthz</a><span class="faint">is it alive</span></li>
            <li><a href="/readyz" data-native>/readyz</a><span class="faint">may it have traffic</span></li>
          </ul>
        </Panel>
        <Ledger />
      </div>
    </>
  );
}
