// Owns the search for rays in pasted text: an error page, a log, a mail.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Case, show } from '../api';
import { count, moment, plural, rayIds } from '../format';
import { ActorChip, Dotted, Foreign, PageHead, Panel, StatusPill } from '../ui';

const AT_MOST = 20;
type Found = { state: 'asked' } | { state: 'case'; record: Case } | { state: 'none' } | { state: 'failed'; error: ApiError };

export function SearchPage() {
  const [text, setText] = useState(() => {
    const pasted = sessionStorage.getItem('pasted') ?? '';
    sessionStorage.removeItem('pasted');
    return pasted;
  });
  const ids = rayIds(text).slice(0, AT_MOST);
  const [found, setFound] = useState<Record<string, Found>>({});
  const asked = ids.join();
  const leave = useRef<(() => void)[]>([]);
  useEffect(() => () => { for (const off of leave.current) off(); }, []);
  useEffect(() => {
    const stop = new AbortController();
    for (const id of ids) {
      if (found[id] && found[id].state !== 'failed') continue;
      setFound((old) => ({ ...old, [id]: { state: 'asked' } }));
      leave.current.push(show(`/api/rays/${id}`));
      call<Case>(`/api/rays/${id}`, { signal: stop.signal }).then(
        (record) => setFound((old) => ({ ...old, [id]: { state: 'case', record } })),
        (error: unknown) => {
          if (error instanceof ApiError) setFound((old) => ({ ...old, [id]: error.status === 404 ? { state: 'none' } : { state: 'failed', error } }));
          else setFound(({ [id]: _, ...rest }) => rest);
        },
      );
    }
    return () => stop.abort();
  }, [asked]);
  return (
    <>
      <PageHead title="Find a ray" lead="Paste an error page, a header, a line of a log, a whole mail. Every Ray ID in it is looked up." />
      <div class="stack">
        <section class="panel pad">
          <label class="offscreen" for="paste">Text that holds Ray IDs</label>
          <textarea id="paste" class="paste mono" rows={7} value={text} spellcheck={false} placeholder={'Ray ID: 7a1b2c3d4e5f6789\nCF-Ray: 7a1b2c3d4e5f6789-LAB\nhttps://edge.example/ray/7a1b2c3d4e5f6789'} onInput={(event) => setText((event.currentTarget as HTMLTextAreaElement).value.slice(0, 200_000))} />
          <p class="faint" role="status">{text.trim() === '' ? 'A Ray ID is 16 digits or letters a to f, perhaps with -LAB or the like behind it.' : ids.length === 0 ? 'There is no Ray ID in this text.' : `${plural(rayIds(text).length, 'Ray ID')} found${rayIds(text).length > AT_MOST ? `; these are the first ${count(AT_MOST)}` : ''}.`}</p>
        </section>
        {ids.length > 0 ? (
          <Panel title="In this text">
            <ul class="case-list">
              {ids.map((id) => {
                const one = found[id];
                return (
                  <li key={id}>
                    <a class="case-row found-row" href={`/ray/${id}`} data-row>
                      <span class="cr-status">{one?.state === 'case' ? <StatusPill status={one.record.edge_status} aborted={one.record.aborted} /> : <span class="pill">{one?.state === 'asked' || !one ? '…' : '–'}</span>}</span>
                      <span class="cr-main"><span class="mono cr-cause">{id}{one?.state === 'case' && one.record.cause !== 'none' ? <> <Dotted name={one.record.cause} /></> : null}</span>
                        <span class="cr-summary">{one?.state === 'case' ? <Foreign text={one.record.summary} /> : one?.state === 'none' ? 'There is no record of it here.' : one?.state === 'failed' ? one.error.message : 'Looking it up'}</span></span>
                      <span class="cr-actor">{one?.state === 'case' ? <ActorChip actor={one.record.actor} /> : null}</span>
                      <span class="cr-time num">{one?.state === 'case' ? moment(one.record.time) : ''}</span>
                    </a>
                  </li>
                );
              })}
            </ul>
          </Panel>
        ) : null}
      </div>
    </>
  );
}
