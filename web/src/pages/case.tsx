// Owns the page of one request: the verdict, who is guilty, the fix, then the evidence.
import { type Actor, type Attempt, type Case, type Sample, useApi } from '../api';
import { frame, groups, phases, sampleOf, tell, ticks } from '../evidence';
import { bytes, count, duration, fullMoment, plural } from '../format';
import { link } from '../router';
import { Address, CopyButton, Dotted, Empty, Failure, Foreign, Icon, type IconName, PageHead, Panel, Prose, Skeleton, StatusPill } from '../ui';

const GUILT: Record<Actor, string> = { none: 'Nobody failed.', client: 'The client is at fault.', edge: 'The edge is at fault.', network: 'The network between edge and origin is at fault.', origin: 'The origin is at fault.' };

/// Client - Edge - Origin, as on the error page, where the client is "You"; the guilty one is marked.
function Parties({ record }: { record: Case }) {
  const reached = record.origin !== null && record.actor !== 'edge' && record.actor !== 'client';
  const state = (who: Actor): 'ok' | 'bad' | 'unknown' => {
    if (record.actor === who) return 'bad';
    if (who === 'origin' && record.actor !== 'none') return reached && record.actor !== 'network' ? 'ok' : 'unknown';
    return 'ok';
  };
  const WORD = { ok: 'Working', bad: 'Error', unknown: 'Not at fault' };
  const MARK = { ok: 'M7 12.5l3.5 3.5L17 8.5', bad: 'M8 8l8 8M16 8l-8 8', unknown: 'M7.5 12h9' };
  const party = (who: 'client' | 'edge' | 'origin', name: string, detail: string) => {
    const how = state(who);
    return (
      <li class={`party party-${how}`}>
        <span class="party-icon"><Icon name={who as IconName} size={26} /><i class="party-mark"><svg viewBox="0 0 24 24" aria-hidden="true"><path d={MARK[how]} /></svg></i></span>
        <b>{name}</b><em>{WORD[how]}</em><span class="party-detail num"><Address text={detail} /></span>
      </li>
    );
  };
  const broken = record.actor === 'network';
  return (
    <ol class="parties" aria-label="Where it failed">
      {party('client', 'Client', record.client || 'unknown')}
      <li class="wire" aria-hidden="true" />
      {party('edge', 'Edge', [record.colo, record.edge].filter(Boolean).join(' '))}
      {broken ? <li class="wire wire-bad"><span class="party-mark"><svg viewBox="0 0 24 24" aria-hidden="true"><path d={MARK.bad} /></svg></span><b>Network</b><em>Error</em></li> : <li class="wire" aria-hidden="true" />}
      {party('origin', 'Origin', record.origin?.replace(/^https?:\/\//, '') ?? 'none was chosen')}
    </ol>
  );
}

function Waterfall({ record }: { record: Case }) {
  const all = record.attempts.map((attempt) => ({ attempt, ...phases(attempt) }));
  const sum = all.reduce((n, one) => n + one.total, 0);
  const whole = Math.max(record.duration_ms, sum, 0.001);
  let start = 0;
  const at = (ms: number) => `${Math.min(100, (ms / whole) * 100)}%`;
  return (
    <div class="waterfall" role="table" aria-label="Phases of each attempt">
      <div class="wf-row wf-axis" role="row"><span class="wf-name" role="columnheader">Phase</span><span class="wf-time right" role="columnheader">Time</span><span class="wf-track" role="columnheader" aria-label="From begin to end">{ticks(whole).map((t) => <i key={t} class={`wf-tick num ${t === 0 ? 'wf-tick-first' : t / whole > 0.93 ? 'wf-tick-last' : ''}`} style={{ left: at(t) }}>{t === 0 ? '0' : duration(t)}</i>)}</span></div>
      <div class="wf-row wf-whole" role="row">
        <span class="wf-name" role="cell">Whole request</span><span class="wf-time num right" role="cell">{duration(record.duration_ms)}</span>
        <span class="wf-track" role="cell"><i class="wf-bar wf-request" style={{ left: 0, width: at(record.duration_ms) }} />{record.first_byte_ms !== null ? <i class="wf-first" style={{ left: at(record.first_byte_ms) }} title={`First byte to the client after ${duration(record.first_byte_ms)}`} /> : null}</span>
      </div>
      {all.map(({ attempt, phases: list, total }) => {
        const from = start;
        start += total;
        return (
          <>
            {record.attempts.length > 1 ? (
              <div class="wf-row wf-attempt" role="row" key={`a${attempt.n}`}>
                <span class="wf-name" role="cell">Attempt {attempt.n}</span><span class="wf-time num right" role="cell">{duration(total)}</span><span class="wf-track" role="cell"><span class={`pill ${attempt.cause === 'none' ? 'pill-good' : 'pill-bad'}`}>{attempt.cause === 'none' ? 'answered' : attempt.cause}</span></span>
              </div>
            ) : null}
            {list.map((phase) => (
              <div class="wf-row" role="row" key={`${attempt.n}${phase.name}`}>
                <span class="wf-name wf-phase" role="cell">{phase.title}{phase.failed ? <span class="wf-failed"><Icon name="close" size={12} /><span class="offscreen">failed here</span></span> : null}</span>
                <span class="wf-time num right" role="cell">{duration(phase.length)}</span>
                <span class="wf-track" role="cell"><i class={`wf-bar wf-${phase.name} ${phase.failed ? 'wf-bad' : ''}`} style={{ left: at(from + phase.start), width: at(phase.length) }} /></span>
              </div>
            ))}
            {list.length === 0 ? <div class="wf-row" role="row" key={`n${attempt.n}`}><span class="wf-name wf-phase faint" role="cell">No time was measured</span><span class="wf-time right" role="cell">–</span><span class="wf-track" role="cell" /></div> : null}
          </>
        );
      })}
    </div>
  );
}

/// The bytes, escaped, with a caret below the one that broke the rule.
export function Bytes({ sample, rule }: { sample: Sample; rule?: string | null }) {
  const { text } = sample;
  // Without a rule that was broken there, the first byte is just the first byte.
  const marked = !!rule || sample.caret > 0;
  const caret = marked ? sample.caret : 0;
  const token = !marked ? '' : /^(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[rnt0\\"]|[\s\S])/u.exec(text.slice(caret))?.[0] ?? '';
  const paint = (part: string) => part.split(/(\\x[0-9a-fA-F]{2}|\\[rnt0\\])/).map((piece, i) => (i % 2 === 1 ? <span key={i} class={piece === '\\n' ? 'esc esc-n' : 'esc'}>{piece}{piece === '\\n' ? <br /> : null}</span> : piece));
  return (
    <figure class="bytes">
      <figcaption>
        <span>{rule ? <b>{rule.replaceAll('_', ' ')}</b> : <b>Sample</b>} at byte <span class="num">{count(sample.offset)}</span>{sample.field ? <>, inside <Foreign class="mono" text={sample.field} /></> : null}</span>
        <CopyButton text={text} what="the bytes" />
      </figcaption>
      <pre tabIndex={0} aria-label="The bytes, escaped" dir="ltr"><code>{sample.first_offset > 0 && sample.first_offset < sample.offset ? <span class="bytes-cut">…</span> : null}{paint(text.slice(0, caret))}{marked ? <mark class="offence">{token || '⏹'}<span class="caret" aria-hidden="true">^</span><span class="offscreen"> (the offending byte) </span></mark> : null}{token === '\\n' ? <br /> : null}{paint(text.slice(caret + token.length))}</code></pre>
      <p class="bytes-foot faint num">Shown from byte {count(sample.first_offset)} on{!marked ? '' : !token ? '; the caret is behind the last byte that came' : token === ' ' ? '; the caret is at a space' : <>; the caret is at <code>{token}</code></>}.</p>
    </figure>
  );
}

function Frames({ frames }: { frames: string[] }) {
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="HTTP/2 frames">
      <table class="table frames">
        <thead><tr><th scope="col">Direction</th><th scope="col">Frame</th><th scope="col" class="right">Stream</th><th scope="col">Flags</th><th scope="col" class="right">Length</th><th scope="col">Error</th></tr></thead>
        <tbody>
          {frames.map((line, i) => {
            const one = frame(line);
            if (!one) return <tr key={i}><td colSpan={6} class="mono"><Foreign text={line} /></td></tr>;
            return (
              <tr key={i} class={one.alarming ? 'frame-bad' : ''}>
                <td class={`frame-${one.direction}`}>{one.direction === 'out' ? 'Edge →' : '← Origin'}</td>
                <th scope="row" class="mono">{one.type}</th><td class="right num">{one.stream}</td><td class="mono frame-flags">{one.flags || '–'}</td><td class="right num">{count(Number(one.length))}</td><td class="mono">{one.rest}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Facts({ evidence }: { evidence: Case['evidence'] }) {
  const all = groups(evidence);
  if (all.length === 0) return null;
  return (
    <div class="fact-groups">
      {all.map((group) => (
        <section key={group.name} class="fact-group">
          <h3>{group.name}</h3>
          <dl class="facts">
            {group.facts.map((fact) => (
              <div key={fact.key} class={fact.list ? 'fact-wide' : ''}>
                <dt title={fact.key}>{fact.label}</dt>
                <dd class="num">{fact.list ? <ul>{fact.list.map((item, i) => <li key={i}><Foreign text={item} /></li>)}</ul> : <Foreign text={fact.value} />}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function Attempts({ attempts }: { attempts: Attempt[] }) {
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Attempts">
      <table class="table">
        <thead><tr><th scope="col" class="right">#</th><th scope="col">Cause</th><th scope="col">Origin</th><th scope="col">Connection</th><th scope="col">Protocol</th><th scope="col" class="right">Sent</th><th scope="col" class="right">Received</th><th scope="col" class="right">Status</th><th scope="col">End</th></tr></thead>
        <tbody>
          {attempts.map((one) => (
            <tr key={one.n}>
              <th scope="row" class="right num">{one.n}</th><td class="nowrap">{one.cause === 'none' ? 'none' : <code>{one.cause}</code>}{one.retried ? <span class="faint">, retried</span> : null}</td><td class="mono nowrap"><Foreign text={one.origin ?? '–'} /></td>
              <td class="nowrap">{one.connection.reused ? `reused, idle ${duration(one.connection.idle_ms)}` : 'new'}</td>
              <td class="nowrap">{one.protocol}{one.stream_id !== null ? ` stream ${one.stream_id}` : ''}{one.tls_version ? `, ${one.tls_version}${one.tls_resumed ? ' resumed' : ''}` : ''}{one.downgraded ? ', after HTTP/2 failed' : ''}</td>
              <td class="right num nowrap">{bytes(one.sent_bytes)}</td><td class="right num nowrap">{bytes(one.received_bytes)}</td><td class="right num">{one.status || '–'}</td><td>{one.connection.close}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Request({ record }: { record: Case }) {
  const { request, response } = record;
  const rows: [string, string | null][] = [
    ['Host', request.host], ['Client', `${[record.client, record.edge].filter(Boolean).join(' to ') || 'not recorded'}, ${request.scheme}`],
    ['TLS of the client', request.tls_version ? `${request.tls_version} ${request.tls_cipher ?? ''}` : null],
    ['Server name', request.sni && request.sni !== request.host ? request.sni : null],
    ['User agent', request.user_agent], ['Referer', request.referer], ['Origin', record.origin ?? 'no route'],
    ['Statuses', `edge ${record.edge_status || 'none'}, origin ${record.origin_status || 'said nothing readable'}`],
    ['Request', `${bytes(request.total_bytes)}, ${bytes(request.body_bytes)} of body`],
    ['Response', `${bytes(response.total_bytes)}, ${bytes(response.body_bytes)} of body${response.content_type ? `, ${response.content_type}` : ''}`],
  ];
  return (
    <>
      <p class="request-line mono" dir="ltr" tabIndex={request.uri.length > 240 ? 0 : undefined}><b>{request.method}</b> <Foreign text={request.uri} /> <span class="faint">{request.protocol}</span></p>
      <dl class="facts facts-single">{rows.map(([name, value]) => (value ? <div key={name}><dt>{name}</dt><dd class="num"><Foreign text={value} /></dd></div> : null))}</dl>
    </>
  );
}

export function CasePage({ id, secrets }: { id: string; secrets: boolean }) {
  const ray = id.toLowerCase().replace(/-[a-z0-9]+$/, '');
  const valid = /^[0-9a-f]{16}$/.test(ray);
  const { data: record, error, reload } = useApi<Case>(valid ? `/api/rays/${ray}${secrets ? '?secrets=1' : ''}` : null);
  if (!valid) {
    return (
      <>
        <PageHead title="That is no Ray ID" />
        <section class="panel"><Empty title={'A Ray ID has 16 hexadecimal digits'} icon="warn"><p>This one is <Foreign class="mono" text={id.slice(0, 200)} />. <a href="/ray">Paste the text it came from</a> and it will be found there.</p></Empty></section>
      </>
    );
  }
  if (error) {
    return (
      <>
        <PageHead title={error.status === 404 ? 'No record of this ray' : 'This case cannot be shown'} lead={<span class="mono">{ray}</span>} />
        <section class="panel">
          {error.status === 404 ? (
            <Empty title="The edge has no such record" icon="warn">
              <ul class="hints"><li>It may be older than the records that are kept.</li><li>It may be of another edge: the letters behind the ID name the place.</li><li>A record is there within a second of its response; <button type="button" class="text-button" onClick={reload}>try again</button>.</li></ul>
            </Empty>
          ) : <Failure error={error} retry={reload} />}
        </section>
      </>
    );
  }
  if (!record) {
    return (
      <>
        <PageHead title="Case" lead={<span class="mono">{ray}</span>} />
        <div class="stack"><section class="panel case-wait"><Skeleton rows={6} /></section><section class="panel"><Skeleton rows={10} /></section></div>
      </>
    );
  }
  const fix = record.fix || record.explain?.fix || '';
  const told = tell(record);
  const sample = sampleOf(record.evidence);
  const rule = typeof record.evidence['rule'] === 'string' ? record.evidence['rule'] : null;
  const frames = Array.isArray(record.evidence['h2_frames']) ? record.evidence['h2_frames'] : null;
  const earlier = record.attempts.slice(0, -1).filter((one) => Object.keys(one.evidence).length > 0);
  const title = record.explain?.title ?? '';
  const fine = record.cause === 'none';
  return (
    <article class="case">
      <header class="case-head">
        <p class="case-crumbs">
          <a href="/cases"><Icon name="back" size={14} />Cases</a>
          <span class="case-id"><span class="mono ray-id">{record.ray_id}{record.colo ? <span class="faint">-{record.colo}</span> : null}</span>
            <CopyButton text={record.ray_id} what="the Ray ID" /><CopyButton text={`${location.origin}/ray/${record.ray_id}`} what="the permalink" icon="link" label="Permalink" /></span>
        </p>
        <p class="case-status"><StatusPill status={record.edge_status} aborted={record.aborted} />{title ? <span class="case-title">{title}</span> : null}<a class="cause-link" href={fine ? '/cases' : link('/cases', { cause: record.cause })} title="All cases of this cause"><Dotted name={record.cause} /></a></p>
        <h1 tabIndex={-1}><Foreign text={record.summary} /></h1>
        <p class="case-meta"><span>{GUILT[record.actor]}</span><span class="num">{fullMoment(record.time)}</span><span class="num">took {duration(record.duration_ms)}</span><span class="case-target mono"><Foreign text={`${record.request.method} ${record.request.host}${record.request.uri}`} class="ellipsis" title /></span></p>
      </header>
      <div class="verdict">
        <section class="panel" aria-label="Who is guilty"><Parties record={record} /></section>
        <section class="panel fix" aria-labelledby="fix-title">
          <header class="panel-head"><h2 id="fix-title"><Icon name="wrench" size={16} />Fix</h2>{fix ? <CopyButton text={fix} what="the fix" label="Copy" /> : null}</header>
          <p class="fix-text">{fix ? <Prose text={fix} /> : fine ? 'Nothing is to be mended: the response was delivered.' : 'No fix is known for this cause.'}</p>
          {record.header_warning ? <p class="fix-note"><Icon name="warn" size={14} />The response’s header section is near the limit.</p> : null}
          {record.explain?.summary && !record.summary.startsWith(record.explain.summary.replace(/\.$/, '')) ? <p class="fix-note faint">In general: {record.explain.summary}</p> : null}
        </section>
      </div>
      <div class="case-grid">
        <div class="stack">
          {told.length > 0 || sample ? (
            <Panel title="Evidence">
              <ul class="told">
                {told.map((one, i) => <li key={i} class={one.weight === 'key' ? 'told-key' : ''}><span class="told-topic">{one.topic}</span><span><Foreign text={one.text} /></span></li>)}
              </ul>
              {sample ? <Bytes sample={sample} rule={rule} /> : null}
            </Panel>
          ) : null}
          {record.attempts.length > 0 ? <Panel title="Where the time went"><Waterfall record={record} /></Panel> : null}
          {frames ? <Panel title="HTTP/2 frames" aside={<span class="faint">the last {plural(frames.length, 'frame')}, oldest first</span>}><Frames frames={frames} /></Panel> : null}
          {record.trace ? (
            <Panel title="Origin’s logs">
              {record.trace.origin_line ? <pre class="log" tabIndex={0} aria-label="The origin's line"><bdi>{record.trace.origin_line}</bdi></pre> : <p class="pad">No line of the origin’s log belongs to this ray: {record.trace.outcome?.replaceAll('_', ' ') ?? 'not found'}.</p>}
              {record.trace.nearby && record.trace.nearby.length > 0 ? <><h3 class="log-title">Around that time</h3><pre class="log" tabIndex={0} aria-label="Lines around that time">{record.trace.nearby.map((line, i) => <bdi key={i}>{line}{'\n'}</bdi>)}</pre></> : null}
            </Panel>
          ) : null}
        </div>
        <div class="stack">
          <Panel title="Request"><Request record={record} /></Panel>
          {Object.keys(record.evidence).length > 0 ? <Panel title="All facts" class="all-facts"><Facts evidence={record.evidence} /></Panel> : null}
          {record.parent_ray_id ? <p class="faint">The request came with another ray: <a class="mono" href={`/ray/${record.parent_ray_id}`}>{record.parent_ray_id}</a></p> : null}
        </div>
      </div>
      {record.attempts.length > 1 ? <Panel title="Attempts"><Attempts attempts={record.attempts} /></Panel> : null}
      {earlier.map((one) => <details key={one.n} class="panel fold"><summary>Facts of attempt {one.n} <Dotted name={one.cause} /></summary><Facts evidence={one.evidence} />{Array.isArray(one.evidence['h2_frames']) ? <Frames frames={one.evidence['h2_frames']} /> : null}</details>)}
      <details class="panel fold"><summary>JSON</summary><div class="json"><CopyButton text={JSON.stringify(record, null, 2)} what="the case as JSON" label="Copy" /><pre tabIndex={0} aria-label="The case as JSON" dir="ltr">{JSON.stringify(record, null, 2)}</pre></div></details>
      <p class="hint-line faint"><span>On the command line: <code>edgecase ray {record.ray_id}</code></span><CopyButton text={`edgecase ray ${record.ray_id}`} what="the command" /></p>
    </article>
  );
}
