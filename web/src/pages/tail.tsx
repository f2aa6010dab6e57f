// Owns the live tail: records as they come. It stands still while somebody points at it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type CaseRow, type Switches } from '../api';
import { count, duration, moment, plural } from '../format';
import { navigate, type Route, withQuery } from '../router';
import { ActorChip, Empty, Foreign, Icon, PageHead, Segmented, StatusPill } from '../ui';

const KEPT = 200;
const AGAIN_MS = 3000;

export function TailPage({ route }: { route: Route }) {
  const only = route.query.get('only') === 'all' ? 'all' : 'cases';
  const [rows, setRows] = useState<CaseRow[]>([]);
  const [state, setState] = useState<'connecting' | 'open' | 'broken'>('connecting');
  const [paused, setPaused] = useState(false);
  const [held, setHeld] = useState(false);
  const [waiting, setWaiting] = useState(0);
  const [lost, setLost] = useState(0);
  const [seen, setSeen] = useState(0);
  const [trouble, setTrouble] = useState('');
  const [words, setWords] = useState(route.query.get('q') ?? '');
  const still = useRef(false);
  still.current = paused || held;

  useEffect(() => {
    setState('connecting');
    setTrouble('');
    setRows([]);
    setSeen(0);
    setLost(0);
    setWaiting(0);
    let fresh: CaseRow[] = [];
    let arrived = 0;
    let unshown = 0;
    let source: EventSource;
    let again = 0;
    const stop = new AbortController();
    const connect = () => {
      source = new EventSource(`/api/tail?only=${only}`);
      source.onopen = () => {
        setState('open');
        setTrouble('');
      };
      source.onerror = () => {
        setState('broken');
        if (source.readyState !== EventSource.CLOSED) return;
        // A status other than 200 ends a stream for good, and only another request tells why; its 401 opens the login.
        call<Switches>('/api/switches', { signal: stop.signal }).then(
          () => setTrouble('The edge refuses the stream, perhaps since too many watch; trying again.'),
          (error: unknown) => { if (error instanceof ApiError) setTrouble(error.message); },
        );
        again = window.setTimeout(connect, AGAIN_MS);
      };
      source.addEventListener('record', (event) => {
        try {
          fresh.push(JSON.parse((event as MessageEvent<string>).data) as CaseRow);
        } catch {
          return;
        }
        arrived += 1;
        unshown += 1;
        if (fresh.length > KEPT) fresh.shift();
      });
      source.addEventListener('lost', (event) => {
        try {
          const told = JSON.parse((event as MessageEvent<string>).data) as { count?: number };
          setLost((n) => n + (told.count ?? 0));
        } catch {
          // Then it is not said how many.
        }
      });
    };
    connect();
    // Drawn four times a second at most, however fast they come.
    const timer = setInterval(() => {
      setSeen(arrived);
      if (still.current) {
        setWaiting(unshown);
        return;
      }
      if (fresh.length === 0) return;
      const added = fresh.reverse();
      fresh = [];
      unshown = 0;
      setWaiting(0);
      setRows((old) => [...added, ...old].slice(0, KEPT));
    }, 250);
    return () => {
      clearInterval(timer);
      clearTimeout(again);
      stop.abort();
      source.close();
    };
  }, [only]);

  const wanted = words.trim().toLowerCase();
  const shown = wanted ? rows.filter((row) => `${row.host}${row.uri} ${row.cause} ${row.edge_status} ${row.method} ${row.origin ?? ''} ${row.ray_id}`.toLowerCase().includes(wanted)) : rows;
  const hold = (value: boolean) => () => setHeld(value);
  return (
    <>
      <PageHead title="Live tail" lead={state === 'broken' ? <Foreign text={trouble || 'The stream broke off; trying again.'} /> : state === 'connecting' ? 'Connecting.' : `${plural(seen, only === 'all' ? 'request' : 'case')} so far.`}>
        <Segmented label="What is shown" value={only} options={[{ value: 'cases', label: 'Cases' }, { value: 'all', label: 'All requests' }]} onChange={(value) => navigate(withQuery({ only: value === 'all' ? 'all' : null }), { replace: true })} />
        <button type="button" class="button" aria-pressed={paused} onClick={() => setPaused(!paused)}><Icon name={paused ? 'play' : 'pause'} size={15} />{paused ? 'Go on' : 'Pause'}</button>
      </PageHead>
      <div class="tail-bar">
        <label class="filter tail-filter"><span class="offscreen">Show only rows that hold</span><input type="search" placeholder="Show only rows with…" value={words} spellcheck={false} onInput={(event) => setWords((event.currentTarget as HTMLInputElement).value)} /></label>
        <p class="tail-state" role="status"><span class={`dot ${state === 'open' ? (paused || held ? 'dot-warn' : 'dot-good dot-live') : 'dot-bad'}`} aria-hidden="true" />{state !== 'open' ? (state === 'broken' ? 'Reconnecting' : 'Connecting') : paused ? `Paused, ${count(waiting)} waiting` : held ? `Held while you look, ${count(waiting)} waiting` : 'Live'}</p>
        {lost > 0 ? <p class="tail-lost"><Icon name="warn" size={14} />{count(lost)} were left out: this page was too slow.</p> : null}
      </div>
      <section class="panel list-panel tail" aria-label="Records as they come" onMouseEnter={hold(true)} onMouseLeave={hold(false)} onFocusCapture={hold(true)} onBlurCapture={hold(false)}>
        {shown.length === 0 ? <Empty title={state === 'broken' ? 'No connection to the edge' : wanted && rows.length > 0 ? 'No row holds that' : only === 'all' ? 'Waiting for a request' : 'Waiting for a failure'} icon="tail"><p>{only === 'cases' && !wanted ? 'Only requests that fail are shown. Good news so far.' : 'Rows appear as they come.'}</p></Empty> : (
          <ul class="tail-list">
            {shown.map((row, i) => (
              <li key={i}>
                <a class="tail-row" href={`/ray/${row.ray_id}`} data-row>
                  <time class="num tail-time" dateTime={row.time}>{moment(row.time)}</time>
                  <StatusPill status={row.edge_status} aborted={row.aborted} />
                  <span class="tail-actor">{row.cause === 'none' ? <span class="faint">–</span> : <ActorChip actor={row.actor} />}</span>
                  <span class="mono tail-target"><span class="faint">{row.method}</span> <Foreign text={`${row.host}${row.uri}`} /></span>
                  <span class="mono tail-cause">{row.cause === 'none' ? '' : row.cause}</span>
                  <span class="num right tail-took">{duration(row.duration_ms)}</span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}
