// Owns what the facts of a case say in plain words. The keys are those of docs/evidence.md.
import type { Attempt, Case, Evidence, Fact, Sample } from './api';
import { bytes, count, duration, ordinal, plural } from './format';

export interface Told {
  topic: string;
  text: string;
  /// The fact that decides.
  weight?: 'key';
}

const text = (e: Evidence, key: string): string | null => {
  const value = e[key];
  return typeof value === 'string' && value !== '' ? value : null;
};
const number = (e: Evidence, key: string): number | null => {
  const value = e[key];
  return typeof value === 'number' ? value : null;
};
const list = (e: Evidence, key: string): string[] => {
  const value = e[key];
  return Array.isArray(value) ? value : [];
};

export function sampleOf(e: Evidence): Sample | null {
  const value = e['sample'];
  return value && typeof value === 'object' && !Array.isArray(value) && typeof value.text === 'string' ? value : null;
}

const CLOSES: Record<string, string> = {
  fin: 'closed the connection in the orderly way (FIN)',
  rst: 'reset the connection (RST)',
  lost: 'was lost: TCP gave up, nobody closed',
};

const LOOKS: Record<string, string> = {
  tls: 'TLS: the port speaks https, the edge was told http',
  ssh: 'SSH: that is not a web server’s port',
  smtp: 'SMTP: that is a mail server’s port',
  html: 'HTML without a response head in front of it',
  h2: 'HTTP/2 frames where HTTP/1.1 was agreed on',
  proxy_protocol: 'the PROXY protocol, which belongs in front of a request only',
  text: 'plain text, perhaps a stray line of output',
  binary: 'binary data',
};

const LIMITS: Record<string, string> = {
  read: 'the first byte of the response',
  ack: 'the origin’s machine to acknowledge the request',
  write: 'the origin to read the request',
  response_head: 'the response’s header section',
  client_head: 'the client’s request head',
  client_body: 'the client’s request body',
  client_write: 'the client to read the response',
};

/// The evidence as sentences, the ones that decide first marked.
export function tell(record: Case): Told[] {
  const e = record.evidence;
  const said: Told[] = [];
  const say = (topic: string, sentence: string, weight?: 'key') => said.push(weight ? { topic, text: sentence, weight } : { topic, text: sentence });
  const byClient = record.actor === 'client';
  const other = byClient ? 'client' : 'origin';

  for (const attempt of record.attempts.slice(0, -1)) {
    say('Retry', `Attempt ${attempt.n} ${attempt.cause === 'none' ? 'was given up' : `failed with ${attempt.cause}`}${attempt.retried ? ', and the edge tried again' : ''}.`);
  }
  if (record.attempts.at(-1)?.downgraded) say('Retry', 'The last attempt went over HTTP/1.1, since HTTP/2 had failed.');

  if (text(e, 'name')) {
    say('DNS', `The name ${text(e, 'name')} was asked for${text(e, 'resolver') ? ` at ${text(e, 'resolver')}` : ''}${text(e, 'answer') ? `; the answer: ${text(e, 'answer')}` : ''}.`, 'key');
  }
  if (text(e, 'address')) say('DNS', `${text(e, 'address')} is an address that an origin cannot have.`, 'key');

  if (record.phase === 'connect' || record.phase === 'dns') {
    const seen = e['syn_ack_seen'];
    if (seen === false) say('TCP', 'The TCP handshake was not completed: no SYN-ACK came.', 'key');
    if (seen === true) say('TCP', 'The TCP handshake was completed (SYN-ACK seen).');
    if (e['from_this_machine'] === true) say('TCP', 'The edge’s own kernel refused it; no packet went out to the network.', 'key');
    if (e['from_this_machine'] === false && text(e, 'errno')) say('TCP', `The answer came from the network or the origin’s machine: ${text(e, 'errno')}.`);
  }
  if (text(e, 'icmp_name') || number(e, 'icmp_type') !== null) {
    const offender = text(e, 'icmp_offender');
    say('ICMP', `An ICMP message said ${text(e, 'icmp_name') ?? `type ${String(e['icmp_type'])} code ${String(e['icmp_code'])}`}${offender ? `; it came from ${offender}, the router or firewall to look at` : ''}.`, 'key');
  }
  if (text(e, 'pool')) say('Pool', `No origin of pool ${text(e, 'pool')} is healthy: ${list(e, 'unhealthy_origins').join('; ')}.`, 'key');

  if (e['reused'] === true) {
    say('Connection', `The connection came from the pool after ${duration(number(e, 'idle_ms') ?? 0)} idle; this was the ${ordinal(number(e, 'nth_request') ?? 1)} request on it.`);
  } else if (e['reused'] === false && !byClient) {
    say('Connection', number(e, 'nth_request') === 1 ? 'The connection was new, so no stale keep-alive is to blame.' : `The connection was shared; this was the ${ordinal(number(e, 'nth_request') ?? 1)} request on it.`);
  }

  const sent = number(e, 'bytes_sent');
  const received = number(e, 'bytes_received');
  if (sent !== null && !byClient) {
    const whole = e['request_complete'] === true ? ', the whole request,' : e['request_complete'] === false ? ', not yet the whole request,' : '';
    say('Bytes', `The edge sent ${bytes(sent)}${whole} and the origin ${received === 0 ? 'sent nothing back' : `sent ${bytes(received ?? 0)} back`}.`, received === 0 ? 'key' : undefined);
  }
  const unacked = number(e, 'tcp_unacked_bytes');
  if (unacked !== null && record.phase !== 'connect') {
    if (unacked === 0 && (received === 0 || record.phase === 'time')) {
      say('TCP', 'The origin’s machine acknowledged every byte: the network works and the machine lives; it is the program on it that did not answer.', 'key');
    } else if (unacked > 0) {
      say('TCP', `${bytes(unacked)} were never acknowledged: they, or the acknowledgements, were lost on the way.`, 'key');
    }
  }
  if (number(e, 'tcp_send_window_bytes') === 0 && record.phase === 'request') say('TCP', 'It advertises a window of 0: it has stopped reading.', 'key');
  const retransmits = number(e, 'tcp_retransmits');
  if (retransmits !== null && retransmits > 0) say('TCP', `${plural(retransmits, 'segment')} had to be sent again over the connection’s life.`);

  const limitName = text(e, 'limit_name');
  const limitMs = number(e, 'limit_ms');
  if (limitMs !== null) {
    say('Limit', limitName
      ? `The edge waits ${duration(limitMs)} for ${LIMITS[limitName] ?? limitName}; that time passed.`
      : `The limit was ${duration(limitMs)}.`, 'key');
  }
  if (number(e, 'last_byte_ms') !== null) say('Time', `The last byte had arrived ${duration(number(e, 'last_byte_ms'))} before.`);

  const limit = number(e, 'limit');
  const seen = number(e, 'seen');
  if (limit !== null) {
    const largest = list(e, 'largest_fields');
    say('Limit', `${seen !== null ? `${count(seen)} by then, the limit is ${count(limit)}` : `The limit is ${count(limit)}`}.${largest.length ? ` Largest: ${largest.slice(0, 3).join(', ')}.` : ''}`, 'key');
  }
  if (number(e, 'response_header_bytes') !== null) say('Headers', `The response’s header section has ${count(number(e, 'response_header_bytes') ?? 0)} bytes, near the limit.`);

  const rule = text(e, 'rule');
  const offset = number(e, 'offset');
  if (rule && offset !== null) {
    const field = text(e, 'field');
    say('Parser', `Byte ${count(offset)} breaks the rule ${rule.replaceAll('_', ' ')}${field ? `, in the field ${field}` : ''}.`, 'key');
  }
  if (list(e, 'values').length > 0 && !rule?.includes('too_large')) say('Parser', `The values in question: ${list(e, 'values').map((v) => `“${v}”`).join(', ')}.`);
  const looks = text(e, 'fingerprint');
  if (looks) say('Parser', `The bytes look like ${LOOKS[looks] ?? looks}.`, 'key');

  const got = number(e, 'body_bytes_received');
  const expected = number(e, 'body_bytes_expected');
  if (got !== null && expected !== null) say('Body', `${count(got)} of ${count(expected)} body bytes came; ${count(Math.max(0, expected - got))} are missing.`, 'key');
  else if (got !== null && record.phase === 'body') say('Body', `${plural(got, 'body byte')} had come.`);
  const missing = number(e, 'chunk_bytes_missing');
  if (missing !== null) say('Body', missing === 0 ? 'It ended between two chunks; the last, empty chunk never came.' : `It ended inside a chunk, ${plural(missing, 'byte')} short.`, 'key');
  if (number(e, 'extra_bytes') !== null) say('Body', `${plural(number(e, 'extra_bytes') ?? 0, 'byte')} came behind the end of the response.`, 'key');
  if (number(e, 'interim_responses')) say('Body', `${plural(number(e, 'interim_responses') ?? 0, 'interim (1xx) response')} came before.`);
  if (number(e, 'header_lines') !== null) say('Headers', `${plural(number(e, 'header_lines') ?? 0, 'complete header line')} had arrived.`);
  if (text(e, 'asked') || text(e, 'got')) say('Upgrade', `Asked for: ${text(e, 'asked') ?? 'nothing'}; switched to: ${text(e, 'got') ?? 'nothing'}.`, 'key');

  const alert = text(e, 'tls_alert');
  if (alert) {
    const from = text(e, 'tls_alert_from');
    say('TLS', `${from === 'edge' ? 'The edge' : from === 'client' ? 'The client' : 'The origin'} ended the handshake with the alert ${alert.replaceAll('_', ' ')}${number(e, 'tls_alert_number') !== null ? ` (${String(e['tls_alert_number'])})` : ''}.`, 'key');
  } else if (text(e, 'tls_detail')) say('TLS', `OpenSSL says: ${text(e, 'tls_detail')}.`, 'key');
  if (!alert && text(e, 'tls_state')) say('TLS', `The handshake stood at “${text(e, 'tls_state')}”.`);
  const subject = text(e, 'certificate_subject');
  const days = number(e, 'certificate_days_left');
  if (subject) {
    const life = days === null ? '' : days < 0 ? `; it expired ${plural(-days, 'day')} ago` : `; it is valid for ${plural(days, 'more day', 'more days')}`;
    say('Certificate', `The certificate is ${subject}, issued by ${text(e, 'certificate_issuer') ?? 'nobody named'}${life}.`, days !== null && days < 0 ? 'key' : undefined);
    const depth = number(e, 'chain_depth');
    if (depth !== null && depth > 0) say('Certificate', `It is not the origin’s own but number ${depth} above it in the chain.`);
    if (record.cause === 'tls.cert.name') say('Certificate', `Wanted: ${text(e, 'wanted_name') ?? ''}. It is for: ${list(e, 'certificate_names').join(', ') || 'no name at all'}.`, 'key');
  }
  if (e['client_cert_requested'] === true) say('TLS', `The origin asked for a client certificate; the edge ${e['client_cert_sent'] === true ? 'showed one' : 'had none to show'}.`, 'key');

  const error = text(e, 'h2_error');
  const h2rule = text(e, 'h2_rule');
  if (h2rule || error) {
    const scope = text(e, 'h2_scope');
    say('HTTP/2', `${error ?? h2rule}${scope === 'connection' ? ', and with it the whole connection' : scope === 'stream' ? ', for this stream only' : ''}${text(e, 'h2_detail') ? `: ${text(e, 'h2_detail')}` : ''}.`, 'key');
  }
  if (e['h2_settings_received'] === false) say('HTTP/2', `The ${other}’s SETTINGS never came.`, 'key');
  if (e['h2_request_sent'] === false) say('HTTP/2', 'Flow control or the stream limit held the request back; not all of it left.', 'key');

  const close = text(e, 'close');
  if (close) say('Close', `${byClient ? 'The client' : close === 'lost' ? 'The connection' : 'The origin'} ${CLOSES[close] ?? close}${text(e, 'errno') ? `: ${text(e, 'errno')}` : ''}.`, 'key');
  if (byClient && number(e, 'response_bytes') !== null) say('Bytes', `${bytes(number(e, 'response_bytes') ?? 0)} of the response’s body had been handed over.`);
  if (byClient && number(e, 'request_body_bytes') !== null) say('Bytes', `The client had sent ${bytes(number(e, 'request_body_bytes') ?? 0)} of its body.`);
  if (record.cause === 'origin.status') say('Status', `The origin itself answered ${record.origin_status}; the edge passed it on untouched.`, 'key');
  if (record.aborted) say('Client', 'The response head had already gone out, so the client’s connection was cut: it saw no clean end.');
  // What decides stands first.
  return [...said.filter((one) => one.weight), ...said.filter((one) => !one.weight)];
}

export interface Group {
  name: string;
  facts: { key: string; label: string; value: string; list?: string[] }[];
}

const GROUPS: [string, RegExp][] = [
  ['HTTP/2', /^h2_/],
  ['TLS and certificate', /^(tls_|certificate_|chain_|sni$|wanted_name$|client_cert_)/],
  ['ICMP', /^icmp_/],
  ['TCP, as the kernel knew it', /^(tcp_|syn_ack_seen$|from_this_machine$|errno$|edge_address$)/],
  ['Connection', /^(origin|reused|idle_ms|nth_request|elapsed_ms|bytes_sent|bytes_received|close|open_connections)$/],
  ['Name resolution', /^(name|resolver|answer|address)$/],
  ['Limits and sizes', /^(limit|seen|drain_limit|largest_fields|response_header_bytes|header_bytes|header_lines|interim)/],
  ['The rule', /^(rule|offset|field|values|fingerprint|status)$/],
  ['Body', /^(request_|body_|chunk_|extra_|last_byte|asked|got)/],
];

const LABELS: Record<string, string> = {
  nth_request: 'Request on the connection', elapsed_ms: 'Since the request was sent', idle_ms: 'Idle before', syn_ack_seen: 'SYN-ACK seen',
  from_this_machine: 'Refused by this machine', tcp_rtt_us: 'Round trip', tcp_unacked_bytes: 'Not acknowledged', tcp_bytes_acked: 'Acknowledged',
  tcp_send_window_bytes: 'Window of the origin', tcp_retransmits: 'Sent again', tcp_backoff: 'Timer doublings', tcp_probes: 'Unanswered probes', tcp_state: 'State',
  h2_scope: 'Scope', h2_stream_limit: 'Stream limit', h2_streams_open: 'Streams open', h2_settings_received: 'SETTINGS received',
  certificate_days_left: 'Days left', sni: 'Server name (SNI)', largest_fields: 'Largest fields',
};

function label(key: string): string {
  const known = LABELS[key];
  if (known) return known;
  const words = key.replace(/^(h2|tls|tcp|icmp|certificate)_/, '').replace(/_(ms|us|bytes)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shown(key: string, value: Fact): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') {
    if (key.endsWith('_ms')) return value === 0 ? 'below 1 ms' : duration(value);
    if (key.endsWith('_us')) return value === 0 ? 'not measured' : duration(value / 1000);
    if (key === 'h2_stream_limit' && value === 4294967295) return 'none';
    if (key.endsWith('_bytes') || key.startsWith('bytes_') || key.includes('_bytes_')) return `${count(value)} B`;
    if (key === 'status' || key.endsWith('_id') || key.endsWith('_number')) return String(value);
    return count(value);
  }
  if (value === null) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/// All facts, in groups; the sample and the frames have pictures of their own.
export function groups(e: Evidence): Group[] {
  const result: Group[] = [];
  for (const [key, value] of Object.entries(e)) {
    if (key === 'sample' || key === 'h2_frames') continue;
    const name = GROUPS.find(([, pattern]) => pattern.test(key))?.[0] ?? 'Other';
    let group = result.find((g) => g.name === name);
    if (!group) result.push((group = { name, facts: [] }));
    group.facts.push(Array.isArray(value) ? { key, label: label(key), value: '', list: value } : { key, label: label(key), value: shown(key, value) });
  }
  return result;
}

export interface Phase {
  name: string;
  title: string;
  start: number;
  length: number;
  failed: boolean;
}

/// The phases of an attempt from 0 on: those of connecting, then those after the request went out.
export function phases(attempt: Attempt): { phases: Phase[]; total: number } {
  const result: Phase[] = [];
  let at = 0;
  const add = (name: string, title: string, length: number | null) => {
    if (length === null || length < 0) return;
    if (length > 0) result.push({ name, title, start: at, length, failed: false });
    at += length;
  };
  add('dns', 'DNS', attempt.dns_ms);
  if (!attempt.connection.reused) {
    add('connect', 'Connect', attempt.connect_ms);
    add('tls', 'TLS', attempt.tls_ms);
  }
  const sentAt = at;
  add('send', 'Send', attempt.send_ms);
  add('wait', 'Wait', attempt.first_byte_ms);
  if (attempt.header_ms !== null) add('headers', 'Headers', attempt.header_ms - (attempt.first_byte_ms ?? 0));
  if (attempt.total_ms !== null) {
    const rest = sentAt + attempt.total_ms - at;
    if (rest > 0.0005) add(attempt.header_ms !== null ? 'body' : 'until', attempt.header_ms !== null ? 'Body' : 'Until failure', rest);
  }
  const last = result.at(-1);
  if (last && attempt.cause !== 'none') last.failed = true;
  return { phases: result, total: at };
}

/// Round moments from 0 to `whole`, three to six of them: steps of 1, 2 or 5 times a power of ten.
export function ticks(whole: number): number[] {
  const power = 10 ** Math.floor(Math.log10(whole / 2));
  const step = [5, 2, 1].map((n) => n * power).find((n) => whole / n >= 2) ?? power;
  return Array.from({ length: Math.floor(whole / step + 1e-9) + 1 }, (_, i) => i * step);
}

export interface Frame {
  direction: 'out' | 'in';
  type: string;
  stream: string;
  flags: string;
  length: string;
  rest: string;
  alarming: boolean;
}

export function frame(line: string): Frame | null {
  const match = /^([<>]) (\S+) stream (\d+) flags (0x[0-9a-f]+)(?: \(([^)]*)\))? length (\d+)(.*)$/.exec(line);
  if (!match) return null;
  const type = match[2] as string;
  return {
    direction: match[1] === '>' ? 'out' : 'in', type, stream: match[3] as string, flags: match[5] ?? '', length: match[6] as string,
    rest: (match[7] ?? '').trim(), alarming: type === 'RST_STREAM' || (type === 'GOAWAY' && !/NO_ERROR/.test(match[7] ?? '')),
  };
}
