// Owns the first page: what came through, what failed, why, and where to look.
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { type Findings, type Loaded, type TopRow, type Totals, type Traffic, useApi } from '../api';
import { Chart, type ChartSeries } from '../chart';
import { bytes, compact, count, duration, percent, plural } from '../format';
import { headline, isFailure } from '../headline';
import { cssColour, paintOf } from '../palette';
import { FilterChips, iso, type Range, rangeOf, RangePicker, wordsOf, zoomTo } from '../range';
import { link, navigate, type Route, withQuery } from '../router';
import { ActorChip, Address, Bar, Empty, Failure, Foreign, Icon, PageHead, Panel, Segmented, Skeleton, Stale } from '../ui';
import { FindingCard } from './findings';

const FILTERS = ['host', 'origin', 'status', 'cause', 'node'];
type By = 'cause' | 'status' | 'host' | 'origin';

function Change({ now, before, bad }: { now: number | null; before: number | null | undefined; bad?: boolean }) {
  if (now === null || before === null || before === undefined || before === 0) return before === 0 && now ? <span class="change">none before</span> : null;
  const ratio = now / before - 1;
  if (Math.abs(ratio) < 0.005) return <span class="change">± 0 %</span>;
  const tone = bad === undefined || Math.abs(ratio) < 0.05 ? '' : ratio > 0 === bad ? 'change-bad' : 'change-good';
  const size = ratio >= 9 ? `${Math.round(ratio + 1)} ×` : `${Math.abs(ratio) < 0.1 ? (Math.abs(ratio) * 100).toFixed(1) : Math.round(Math.abs(ratio) * 100)} %`;
  return <span class={`change ${tone}`}><span aria-hidden="true">{ratio > 0 ? '▲' : '▼'}</span><span class="offscreen">{ratio > 0 ? 'up' : 'down'}</span> {size}</span>;
}

function Tile({ name, value, sub, change, href, tone }: { name: string; value: string; sub?: string; change: ComponentChildren; href?: string; tone?: string }) {
  const inside = <><span class="tile-name">{name}</span><span class={`tile-value num ${tone ?? ''}`}>{value}</span><span class="tile-sub num">{change}{sub ? <span class="tile-more">{sub}</span> : null}</span></>;
  return <li class="tile">{href ? <a href={href}>{inside}</a> : <div>{inside}</div>}</li>;
}

function Tiles({ now, before, cases }: { now: Totals; before: Totals | null; cases: (more?: Record<string, string>) => string }) {
  return (
    <ul class="tiles" aria-label="Totals, and how they changed against the time before">
      <Tile name="Requests" value={compact(now.requests)} sub={`${bytes(now.bytes_out)} out`} change={<Change now={now.requests} before={before?.requests} />} />
      <Tile name="Failures" value={compact(now.failures)} sub={now.requests ? percent(now.failures / now.requests) : ''} tone={now.failures ? 'tone-bad' : ''} change={<Change now={now.failures} before={before?.failures} bad />} href={cases()} />
      <Tile name="Edge-made 5xx" value={compact(now.edge_errors)} change={<Change now={now.edge_errors} before={before?.edge_errors} bad />} href={cases()} />
      <Tile name="Origin’s own 5xx" value={compact(now.origin_errors)} change={<Change now={now.origin_errors} before={before?.origin_errors} bad />} href={cases({ cause: 'origin.status' })} />
      <Tile name="Client’s fault" value={compact(now.client_gone)} change={<Change now={now.client_gone} before={before?.client_gone} />} href={cases({ cause: 'client' })} />
      <Tile name="Latency p95" value={duration(now.p95_ms)} sub={`p50 ${duration(now.p50_ms)}`} change={<Change now={now.p95_ms} before={before?.p95_ms} bad />} />
    </ul>
  );
}

interface Slice extends ChartSeries {
  total: number;
}

function slices(traffic: Traffic, by: By, measure: 'failures' | 'all', theme: string): Slice[] {
  void theme;
  const all = traffic.series.map((one) => ({ key: one.key, values: one.requests, total: one.requests.reduce((n, v) => n + v, 0) }));
  const wanted = measure === 'failures' ? all.filter((s) => isFailure(s.key) || s.key === '(other)') : all;
  wanted.sort((a, b) => (a.key === '(other)' ? 1 : b.key === '(other)' ? -1 : b.total - a.total));
  const calm = by === 'status' ? new Map([[wanted.find((s) => s.key.startsWith('2'))?.key, 'none'], [wanted.find((s) => s.key.startsWith('3'))?.key, '(other)']]) : new Map<string, string>();
  // Hosts and origins are not alarming by themselves: they begin with a cooler colour. Nor are statuses below 500.
  const first = wanted.find((s) => !calm.has(s.key));
  let rank = by === 'cause' || (by === 'status' && Number(first?.key) >= 500) ? 0 : 1;
  return wanted.filter((s) => s.total > 0).map((s) => {
    const role = calm.get(s.key) ?? s.key;
    const paint = paintOf(role === 'none' || role === '(other)' ? 0 : rank++, role);
    return { ...s, label: s.key === 'none' ? 'no failure' : s.key === '(other)' ? 'all others' : s.key, colour: paint.colour, hatched: paint.hatched, className: paint.className };
  });
}

/// What cannot be asked for by its key: all others, and what has no host, no origin or no status.
const isNamed = (key: string, by = '') => key !== '-' && key !== '(other)' && !(by === 'cause' && key === 'none') && !(by === 'status' && key === '0');

function Legend({ shown, by, traffic, cases }: { shown: Slice[]; by: By; traffic: Traffic; cases: (more?: Record<string, string>) => string }) {
  const [all, setAll] = useState(false);
  const sum = shown.reduce((n, s) => n + s.total, 0);
  const causes = new Map(by === 'cause' ? traffic.top.causes.map((row) => [row.key, row]) : []);
  const rows = all ? shown : shown.slice(0, 6);
  return (
    <>
      <ol class="legend">
        {rows.map((slice) => {
          const named = isNamed(slice.key, by);
          const isCause = by === 'cause' && named;
          const known = causes.get(slice.key);
          const inside = (
            <>
              <span class={`swatch ${slice.className}`} aria-hidden="true" />
              <span class="legend-name">
                <span class="legend-key"><Foreign text={slice.label} class={isCause ? 'mono' : ''} />{isCause && known ? <ActorChip actor={known.actor} /> : null}</span>
                {known?.summary ? <span class="legend-why">{known.summary}</span> : null}
              </span>
              <span class="legend-count num">{count(slice.total)}</span>
              <span class="legend-share num">{percent(slice.total / sum)}</span>
            </>
          );
          return (
            <li key={slice.key}>
              {named ? <a class="legend-row" href={cases({ [by]: slice.key })} data-row title="Show these cases">{inside}</a> : <span class="legend-row">{inside}</span>}
              {named ? (
                <a class="button button-icon button-quiet legend-filter" href={withQuery({ [by]: slice.key })} aria-label={`Only ${slice.key} in this page`} title="Only this in the charts"><Icon name="filter" size={14} /></a>
              ) : null}
            </li>
          );
        })}
      </ol>
      {shown.length > 6 ? <button type="button" class="button button-quiet legend-more" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `${shown.length - 6} more`}</button> : null}
    </>
  );
}

function TopTable({ title, rows, hrefOf, failuresOf, what }: { title: string; rows: TopRow[]; hrefOf: (row: TopRow) => string; failuresOf: (row: TopRow) => string; what: string }) {
  const [order, setOrder] = useState<'failures' | 'requests'>('failures');
  const most = Math.max(1, ...rows.map((row) => row[order]));
  const sorted = [...rows].sort((a, b) => b[order] - a[order] || b.requests - a.requests).slice(0, 8);
  return (
    <Panel title={title} aside={<Segmented label={`Order of ${title}`} value={order} options={[{ value: 'failures', label: 'Failures' }, { value: 'requests', label: 'Requests' }]} onChange={setOrder} />} class="top-panel">
      {rows.length === 0 ? <Empty title={`No ${what} in this range`} /> : (
        <table class="table top-table">
          <thead><tr><th scope="col">{what}</th><th scope="col" class="right">Failures</th><th scope="col" class="right">Requests</th><th scope="col" class="right">p95</th></tr></thead>
          <tbody>
            {sorted.map((row) => {
              const named = isNamed(row.key);
              const name = <><Address text={row.key} class="two-lines" /><Bar share={row[order] / most} tone={order === 'failures' ? 'bad' : 'accent'} /></>;
              const failures = <>{compact(row.failures)} <span class="rate">{percent(row.failures / Math.max(1, row.requests))}</span></>;
              return (
                <tr key={row.key}>
                  <th scope="row">{named ? <a href={hrefOf(row)} data-row class="top-key">{name}</a> : <span class="top-key">{name}</span>}</th>
                  <td class="right num">{row.failures === 0 ? <span class="faint">0</span> : named ? <a class="quiet-link tone-bad" href={failuresOf(row)} title="Show these cases">{failures}<span class="offscreen"> failed, show the cases</span></a> : <span class="tone-bad">{failures}</span>}</td>
                  <td class="right num">{compact(row.requests)}</td>
                  <td class="right num nowrap">{duration(row.p95_ms)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function FindingsColumn({ loaded: { data, error, reload } }: { loaded: Loaded<Findings> }) {
  return (
    <Panel title={<>Findings{data ? <span class="of-when">of the last {wordsOf((Date.parse(data.until) - Date.parse(data.since)) / 1000)}</span> : null}</>} aside={<a class="more" href="/findings">All{data ? ` ${data.findings.length}` : ''}<Icon name="next" size={13} /></a>} class="findings-column">
      {error && !data ? <Failure error={error} retry={reload} /> : !data ? <Skeleton rows={8} /> : data.findings.length === 0 ? (
        <Empty title="Nothing stands out" icon="none"><p>A finding needs five failures of one cause.</p></Empty>
      ) : <div class="finding-list">{data.findings.slice(0, 3).map((finding) => <FindingCard key={finding.cause + finding.factor + finding.value} finding={finding} small />)}</div>}
    </Panel>
  );
}

/// Of a path's template (`/user/{number}`) what can be searched for: all before the first placeholder.
const literal = (path: string) => path.replace(/(\{|\.\.\.).*$/, '');

function apiPath(query: URLSearchParams, range: Range, by: By): string {
  const wide = innerWidth >= 700;
  return link('/api/traffic', { since: range.since, until: range.until, by, points: wide ? '120' : '60', host: query.get('host'), origin: query.get('origin'), status: query.get('status'), cause: query.get('cause'), node: query.get('node') });
}

export function TrafficPage({ route, theme }: { route: Route; theme: string }) {
  const { query } = route;
  const range = rangeOf(query);
  const asked = query.get('by');
  const by: By = asked === 'status' || asked === 'host' || asked === 'origin' ? asked : 'cause';
  // A status does not tell whether its request failed: a body may be cut after a 200.
  const measure = query.get('show') === 'all' || by !== 'cause' ? 'all' : 'failures';
  const { data, error, busy, reload } = useApi<Traffic>(apiPath(query, range, by), range.relative ? 15_000 : 0);
  const findings = useApi<Findings>('/api/findings', 60_000);
  const told = data ? headline(data, range.words, range.phrase) : null;
  const fresh = data && data.by === by ? data : null;

  const shown = useMemo(() => (data ? slices(data, (data.by as By) ?? by, measure, theme) : []), [data, by, measure, theme]);
  const latency = useMemo<ChartSeries[]>(() => {
    if (!data) return [];
    void theme;
    return [
      { key: 'p50', label: 'p50', colour: cssColour('--lat-1'), className: 'sw-lat1', values: data.latency.p50_ms, width: 1.8 },
      { key: 'p95', label: 'p95', colour: cssColour('--lat-2'), className: 'sw-lat2', values: data.latency.p95_ms, width: 1.8 },
      { key: 'p99', label: 'p99', colour: cssColour('--lat-3'), className: 'sw-lat3', values: data.latency.p99_ms, width: 1.4, dash: [4, 3] },
    ];
  }, [data, theme]);

  const filters = Object.fromEntries(FILTERS.map((key) => [key, query.get(key)]));
  const cases = (more: Record<string, string> = {}) => link('/cases', { since: range.since, until: range.until, ...filters, ...more });
  const pick = (since: number, until: number, key: string | null) => navigate(link('/cases', { ...filters, since: iso(since), until: iso(until), ...(key && isNamed(key, by) ? { [by]: key } : {}) }));

  return (
    <>
      <PageHead title={told ? <span class={`headline headline-${told.tone}`}>{told.sentence}</span> : <span class="headline headline-wait">Traffic</span>} lead={told?.detail ?? ' '}>
        <RangePicker range={range} />
      </PageHead>
      <FilterChips query={query} keys={FILTERS} />
      {error && !data ? <section class="panel"><Failure error={error} retry={reload} /></section> : !data ? (
        <>
          <section class="panel tiles-wait"><Skeleton rows={2} /></section>
          <div class="split"><section class="panel chart-wait"><Skeleton rows={12} /></section><section class="panel chart-wait"><Skeleton rows={12} /></section></div>
        </>
      ) : (
        <div class="stack" aria-busy={busy}>
          <Stale error={error} retry={reload} />
          <Tiles now={data.totals} before={data.before} cases={cases} />
          <div class="split">
            <div class="stack">
            <Panel
              title={measure === 'failures' ? 'Failures' : 'Requests'} class="chart-panel"
              aside={<>
                {by === 'cause' ? <Segmented label="What is counted" value={measure} options={[{ value: 'failures', label: 'Failures' }, { value: 'all', label: 'All' }]} onChange={(value) => navigate(withQuery({ show: value === 'all' ? 'all' : null }), { replace: true })} /> : null}
                <Segmented<By> label="Stacked by" value={by} options={[{ value: 'cause', label: 'Cause' }, { value: 'status', label: 'Status' }, { value: 'host', label: 'Host' }, { value: 'origin', label: 'Origin' }]} onChange={(value) => navigate(withQuery({ by: value === 'cause' ? null : value }), { replace: true })} />
              </>}
            >
              {data.totals.requests === 0 ? <div class="chart-empty"><Empty title="No request in this range" icon="traffic"><p>{FILTERS.some((key) => query.get(key)) ? <a href={link('/', { since: query.get('since'), until: query.get('until') })}>Without the filters</a> : 'Send one through the edge, or choose a longer range.'}</p></Empty></div> : (
                <>
                  <Chart times={data.times} step={data.step_s} series={shown} kind="stack" height={250} theme={theme} sync="traffic" format={count} axis={compact} onZoom={zoomTo} onPick={pick}
                    label={`${measure === 'failures' ? 'Failures' : 'Requests'} by ${by}, ${plural(shown.reduce((n, s) => n + s.total, 0), 'request')}`} />
                  <p class="chart-hint">{plural(shown.reduce((n, s) => n + s.total, 0), measure === 'failures' ? 'failure' : 'request')}, a column is {duration(data.step_s * 1000)}. <span class="hint-mouse">Drag to zoom, click for the cases.</span></p>
                  {shown.length === 0 ? <Empty title="No failure in this range" icon="none" /> : fresh ? <Legend shown={shown} by={by} traffic={data} cases={cases} /> : <Skeleton rows={6} />}
                </>
              )}
            </Panel>
            <Panel title="Latency" class="chart-panel latency-panel" aside={<span class="mini-legend"><span><i class="swatch sw-lat1" />p50</span><span><i class="swatch sw-lat2" />p95</span><span><i class="swatch sw-lat3" />p99</span></span>}>
              <Chart times={data.times} step={data.step_s} series={latency} kind="lines" height={innerWidth > 1180 ? 260 : 190} theme={theme} sync="traffic" format={duration} axis={(v) => (v === 0 ? '0' : duration(v))} onZoom={zoomTo} onPick={pick} label="Latency, percentiles" />
              <dl class="facts-line num"><div><dt>p50</dt><dd>{duration(data.totals.p50_ms)}</dd></div><div><dt>p95</dt><dd>{duration(data.totals.p95_ms)}</dd></div><div><dt>p99</dt><dd>{duration(data.totals.p99_ms)}</dd></div><div><dt>longest</dt><dd>{duration(data.totals.max_ms)}</dd></div></dl>
            </Panel>
            </div>
            <div class="stack">
            <FindingsColumn loaded={findings} />
            {/* Not before the findings above it, which would push it down. */}
            {findings.data || findings.error ? <Panel title="Statuses" class="status-panel">
              {data.top.statuses.length === 0 ? <Empty title="None" /> : (
                <ol class="status-list">
                  {data.top.statuses.slice(0, 9).map((row) => {
                    const failing = Number(row.key) >= 500 || row.key === '499';
                    const inside = (
                      <>
                        <span class={`mono status-key ${Number(row.key) >= 500 ? 'tone-bad' : ''}`}>{row.key}</span><Bar share={row.requests / Math.max(1, data.totals.requests)} tone={Number(row.key) >= 500 ? 'bad' : 'accent'} />
                        <span class="num right">{compact(row.requests)}</span><span class="num right faint">{percent(row.requests / Math.max(1, data.totals.requests))}</span>
                      </>
                    );
                    return (
                      <li key={row.key}>
                        {isNamed(row.key, 'status') ? <a class="status-row" href={failing ? cases({ status: row.key }) : withQuery({ status: row.key })} title={failing ? 'Show these cases' : 'Only this in the charts'}>{inside}</a> : <span class="status-row">{inside}</span>}
                      </li>
                    );
                  })}
                </ol>
              )}
            </Panel> : null}
            </div>
          </div>
          <div class="thirds">
            <TopTable title="Hosts" what="Host" rows={data.top.hosts} hrefOf={(row) => withQuery({ host: row.key })} failuresOf={(row) => cases({ host: row.key })} />
            <TopTable title="Paths" what="Path" rows={data.top.paths} hrefOf={(row) => cases({ path: literal(row.key) })} failuresOf={(row) => cases({ path: literal(row.key) })} />
            <TopTable title="Origins" what="Origin" rows={data.top.origins} hrefOf={(row) => withQuery({ origin: row.key })} failuresOf={(row) => cases({ origin: row.key })} />
          </div>
        </div>
      )}
    </>
  );
}
