// Owns the list of cases, newest first.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type CaseRow, type Cases, useApi } from '../api';
import { duration, fullMoment, moment } from '../format';
import { FilterChips, rangeOf, RangePicker } from '../range';
import { link, navigate, type Route, withQuery } from '../router';
import { ActorChip, Address, Dotted, Empty, Failure, Foreign, Icon, PageHead, Skeleton, Stale, StatusPill } from '../ui';

const FILTERS = ['cause', 'status', 'host', 'path', 'origin', 'node'];

export function CaseList({ rows }: { rows: CaseRow[] }) {
  return (
    <ul class="case-list">
      {rows.map((row) => (
        <li key={row.ray_id}>
          <a class="case-row" href={`/ray/${row.ray_id}`} data-row>
            <span class="cr-status"><StatusPill status={row.edge_status} aborted={row.aborted} /></span>
            <span class="cr-main"><span class="cr-cause">{row.cause === 'none' ? <span class="faint">no failure</span> : <Dotted name={row.cause} />}</span><span class="cr-summary"><Foreign text={row.summary} /></span></span>
            <span class="cr-actor"><ActorChip actor={row.actor} /></span>
            <span class="cr-target mono"><span class="faint">{row.method}</span> <Address text={`${row.host}${row.uri}`} /></span>
            <span class="cr-took num">{duration(row.duration_ms)}{row.attempts > 1 ? <span class="faint"> {row.attempts} tries</span> : null}</span>
            <span class="cr-time"><time class="num" dateTime={row.time} title={fullMoment(row.time)}>{moment(row.time)}</time><span class="mono faint cr-ray">{row.ray_id}</span></span>
          </a>
        </li>
      ))}
    </ul>
  );
}

export function CasesPage({ route }: { route: Route }) {
  const { query } = route;
  const range = rangeOf(query, '24h');
  const filters = Object.fromEntries(FILTERS.map((key) => [key, query.get(key)]));
  const path = link('/api/cases', { since: range.since, until: range.until, ...filters, limit: '50' });
  const { data, error, busy, reload } = useApi<Cases>(path);
  const [more, setMore] = useState<{ of: string; rows: CaseRow[]; next: string | null; error: ApiError | null; busy: boolean }>({ of: '', rows: [], next: null, error: null, busy: false });
  const wanted = useRef(path);
  wanted.current = path;
  useEffect(() => setMore({ of: path, rows: [], next: null, error: null, busy: false }), [path, data]);
  const continued = more.of === path && more.rows.length > 0;
  const rows = data ? [...data.cases, ...(continued ? more.rows : [])] : [];
  const next = continued ? more.next : (data?.next ?? null);
  const filtered = FILTERS.some((key) => query.get(key));

  const load = async () => {
    if (!next) return;
    setMore((old) => ({ ...old, of: path, busy: true, error: null }));
    try {
      const page = await call<Cases>(`${path}&before=${next}`);
      if (wanted.current === path) setMore((old) => ({ of: path, rows: [...old.rows, ...page.cases], next: page.next, error: null, busy: false }));
    } catch (problem) {
      if (wanted.current === path) setMore((old) => ({ ...old, busy: false, error: problem as ApiError }));
    }
  };

  const apply = (form: HTMLFormElement) => {
    const values = new FormData(form);
    navigate(withQuery(Object.fromEntries(['cause', 'status', 'host', 'path'].map((key) => [key, String(values.get(key) ?? '').trim() || null]))));
  };
  return (
    <>
      <PageHead title="Cases" lead={!data ? ' ' : rows.length === 0 ? `None in ${range.phrase}.` : `${rows.length}${next ? '+' : ''} in ${range.phrase}, newest first.`}><RangePicker range={range} fallback="24h" /></PageHead>
      <form class="filters" aria-label="Filter the cases" key={query.toString()} onSubmit={(event) => { event.preventDefault(); apply(event.currentTarget as HTMLFormElement); }}>
        {(['cause', 'status', 'host', 'path'] as const).map((key) => (
          <label key={key} class="filter"><span>{key.charAt(0).toUpperCase() + key.slice(1)}</span>
            <input name={key} defaultValue={query.get(key) ?? ''} placeholder={{ cause: 'resp or resp.empty_fin', status: '520', host: 'shop.example', path: '/checkout' }[key]} autocomplete="off" spellcheck={false} inputMode={key === 'status' ? 'numeric' : undefined} onChange={(event) => { const form = (event.currentTarget as HTMLInputElement).form; if (form) apply(form); }} />
          </label>
        ))}
        <button type="submit" class="button">Filter</button>
      </form>
      <FilterChips query={query} keys={FILTERS} />
      {data ? <Stale error={error} retry={reload} /> : null}
      <section class="panel list-panel" aria-busy={busy} aria-label="Cases">
        {error && !data ? <Failure error={error} retry={reload} /> : !data ? <Skeleton rows={14} class="pad" /> : rows.length === 0 ? (
          <Empty title={filtered ? 'No case with these filters' : 'No case in this range'} icon="none"><p>{filtered ? <a href={withQuery(Object.fromEntries(FILTERS.map((key) => [key, null])))}>Remove the filters</a> : <>Nothing failed. <a href={withQuery({ since: '7d', until: null })}>Look at the last 7 days</a></>}</p></Empty>
        ) : (
          <>
            <CaseList rows={rows} />
            {more.error ? <Failure error={more.error} retry={load} /> : null}
            {next ? <div class="list-foot"><button type="button" class="button" disabled={more.busy} onClick={load}>{more.busy ? 'Loading' : 'Older cases'}<Icon name="next" size={14} /></button></div> : <p class="list-foot faint">That is all of them.</p>}
          </>
        )}
      </section>
    </>
  );
}
