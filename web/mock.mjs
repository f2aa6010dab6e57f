// The API of docs/admin.md over made-up traffic and real cases of the lab (fixtures/).
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8'));
const recorded = read('cases.json');
const explained = new Map(read('explain.json').map((row) => [row.name, row]));
const TITLES = {
  520: 'Web server is returning an unknown error', 521: 'Web server is down', 522: 'Connection timed out', 523: 'Origin is unreachable', 524: 'A timeout occurred',
  525: 'SSL handshake failed', 526: 'Invalid SSL certificate', 530: 'Origin DNS error', 503: 'Service unavailable', 502: 'Bad gateway',
};
for (const one of recorded) for (const attempt of one.attempts) if (attempt.evidence === 'same') attempt.evidence = one.evidence;
const byCause = new Map(recorded.map((one) => [one.cause, one]));

const ORIGINS = ['https://10.0.4.21:8443', 'http://10.0.4.22:8080', 'https://10.0.4.23:8443'];
const started = Date.now();
const minute = (n) => Math.floor(started / 60_000) - n;
const between = (from, to, rate, otherwise = 0) => (m) => (m >= minute(from) && m < minute(to) ? rate : otherwise);
const steady = (rate) => (m) => rate * (0.75 + 0.25 * Math.sin(m / 97));

/// What fails: how often a minute, and where. The order is part of the Ray IDs.
const STREAMS = [
  { cause: 'resp.empty_fin', host: 'shop.example.com', path: '/checkout', method: 'POST', origin: 0, rate: between(27, 4, 21, 0.12) },
  { cause: 'reuse.stale', host: 'api.example.com', path: '/v1/orders', method: 'POST', origin: 1, rate: steady(1.9) },
  { cause: 'resp.headers_too_large', host: 'shop.example.com', path: '/account', method: 'GET', origin: 0, rate: steady(1.1) },
  { cause: 'time.first_byte', host: 'api.example.com', path: '/v1/reports/export', method: 'GET', origin: 2, rate: steady(0.5) },
  { cause: 'connect.refused', host: 'blog.example.com', path: '/', method: 'GET', origin: 1, rate: between(212, 203, 46) },
  { cause: 'body.short_fin', host: 'blog.example.com', path: '/2026/11/launch', method: 'GET', origin: 1, rate: steady(0.3) },
  { cause: 'h2.rst_stream', host: 'shop.example.com', path: '/search?q=lamp', method: 'GET', origin: 0, rate: steady(0.2) },
  { cause: 'resp.bad_header_name.space', host: 'blog.example.com', path: '/feed.xml', method: 'GET', origin: 1, rate: steady(0.16) },
  { cause: 'origin.status', host: 'api.example.com', path: '/v1/stock', method: 'GET', origin: 2, rate: steady(0.8), status: 503 },
  { cause: 'tls.cert.expired', host: 'shop.example.com', path: '/media/hero.avif', method: 'GET', origin: 2, rate: steady(0.12) },
  { cause: 'client.abort', host: 'shop.example.com', path: '/search?q=desk', method: 'GET', origin: 0, rate: steady(1.5), status: 499 },
];
const GOOD = [
  { host: 'shop.example.com', path: '/', origin: 0, share: 0.30 }, { host: 'shop.example.com', path: '/product/1284', origin: 0, share: 0.2 },
  { host: 'api.example.com', path: '/v1/stock', origin: 2, share: 0.22 }, { host: 'api.example.com', path: '/v1/orders', origin: 1, share: 0.1 },
  { host: 'blog.example.com', path: '/', origin: 1, share: 0.1 }, { host: 'shop.example.com', path: '/checkout', origin: 0, share: 0.04 },
  { host: 'shop.example.com', path: '/account', origin: 0, share: 0.03 }, { host: 'blog.example.com', path: '/feed.xml', origin: 1, share: 0.01 },
];
const actorOf = (cause) => explained.get(cause)?.actor ?? byCause.get(cause)?.actor ?? cause.split('.')[0];
const statusOf = (stream) => stream.status ?? byCause.get(stream.cause)?.edge_status ?? 520;

function noise(...numbers) {
  let h = 2166136261;
  for (const n of numbers) h = Math.imul(h ^ (n & 0xffff) ^ Math.imul(n >>> 16, 31), 16777619);
  h ^= h >>> 15; h = Math.imul(h, 2246822507); h ^= h >>> 13;
  return (h >>> 0) / 4294967296;
}
const times = new Map();
function failuresIn(index, m) {
  const key = index * 1e9 + m;
  let n = times.get(key);
  if (n === undefined) {
    const rate = STREAMS[index].rate(m);
    n = Math.floor(rate * (0.6 + 0.8 * noise(index + 1, m)) + noise(index + 77, m));
    if (times.size < 400_000) times.set(key, n);
  }
  return n;
}
const requestsIn = (m) => Math.round(820 * (0.72 + 0.22 * Math.sin(((m % 1440) / 1440) * 2 * Math.PI - 2)) * (0.93 + 0.14 * noise(5, m)));

const DURATION = { s: 1, m: 60, h: 3600, d: 86_400 };
function moment(text, otherwise) {
  if (!text) return otherwise;
  const short = /^(\d+)([smhd])$/.exec(text);
  const at = short ? Date.now() - Number(short[1]) * DURATION[short[2]] * 1000 : Date.parse(text);
  if (Number.isNaN(at)) throw Object.assign(new Error(`"${text}" is no time: RFC 3339, or a duration as 15m, 24h, 7d`), { status: 400 });
  return at;
}
const CAUSES = [...explained.keys(), ...byCause.keys(), ...STREAMS.map((stream) => stream.cause)];
const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400];

function fits(query, row) {
  for (const key of ['host', 'origin', 'path']) {
    const wanted = query.get(key);
    if (wanted && (key === 'path' ? !row.path.startsWith(wanted) : row[key] !== wanted)) return false;
  }
  const status = query.get('status');
  if (status && String(row.status) !== status) return false;
  const cause = query.get('cause');
  if (cause && !CAUSES.some((known) => known === cause || known.startsWith(`${cause}.`))) throw Object.assign(new Error(`there is no cause ${cause}`), { status: 400 });
  return !cause || row.cause === cause || row.cause.startsWith(`${cause}.`);
}

function traffic(query) {
  const until = moment(query.get('until'), Date.now());
  const since = moment(query.get('since') ?? '1h', 0);
  if (since >= until) throw Object.assign(new Error('since is not before until'), { status: 400 });
  const by = query.get('by') ?? 'cause';
  const points = Number(query.get('points') ?? 120);
  const step = STEPS.find((s) => (until - since) / 1000 / s <= points) ?? 86_400;
  const first = Math.floor(since / 1000 / step) * step;
  const axis = [];
  for (let t = first; t < until / 1000; t += step) axis.push(t);
  const series = new Map();
  const top = { host: new Map(), path: new Map(), origin: new Map(), cause: new Map(), status: new Map() };
  const put = (row, at, n) => {
    if (n <= 0 || !fits(query, row)) return 0;
    const key = String(row[by]);
    if (!series.has(key)) series.set(key, axis.map(() => 0));
    series.get(key)[at] += n;
    for (const name of ['host', 'path', 'origin', 'cause', 'status']) {
      const of = String(name === 'path' ? row.path.split('?')[0] : row[name]);
      const old = top[name].get(of) ?? { key: of, requests: 0, failures: 0 };
      old.requests += n;
      if (row.cause !== 'none' && !row.cause.startsWith('client.')) old.failures += n;
      top[name].set(of, old);
    }
    return n;
  };
  const good = GOOD.map((one) => ({ ...one, origin: ORIGINS[one.origin], cause: 'none', status: 200 }));
  const bad = STREAMS.map((one) => ({ ...one, origin: ORIGINS[one.origin], status: statusOf(one) }));
  const count = (t, length, at) => {
    let requests = 0;
    const failed = bad.map(() => 0);
    for (let m = Math.floor(t / 60); m < Math.max((t + length) / 60, Math.floor(t / 60) + 1) && m * 60_000 < until; m += 1) {
      const share = Math.min(1, length / 60) * (length < 60 ? 0.7 + 0.6 * noise(9, t) : 1);
      const now = requestsIn(m) * share;
      if (at >= 0) for (const one of good) requests += put(one, at, Math.round(now * one.share));
      else for (const one of good) if (fits(query, one)) requests += Math.round(now * one.share);
      bad.forEach((one, i) => { failed[i] += failuresIn(i, m) * share; });
    }
    bad.forEach((one, i) => {
      failed[i] = Math.round(failed[i]);
      if (at >= 0) requests += put(one, at, failed[i]);
      else if (fits(query, one)) requests += failed[i];
      else failed[i] = 0;
      if (at >= 0 && !fits(query, one)) failed[i] = 0;
    });
    return { requests, failed };
  };
  const sum = (parts) => {
    const totals = { requests: 0, failures: 0, edge_errors: 0, origin_errors: 0, client_gone: 0, bytes_in: 0, bytes_out: 0 };
    for (const { requests, failed } of parts) {
      totals.requests += requests;
      failed.forEach((n, i) => {
        if (bad[i].cause.startsWith('client.')) { totals.client_gone += n; return; }
        totals.failures += n;
        if (bad[i].cause === 'origin.status') totals.origin_errors += n; else totals.edge_errors += n;
      });
    }
    totals.bytes_in = totals.requests * 912;
    totals.bytes_out = totals.requests * 28_411;
    const some = totals.requests > 0;
    return { ...totals, p50_ms: some ? 18.4 : null, p95_ms: some ? 142.7 + (totals.failures % 40) : null, p99_ms: some ? 611.2 : null, max_ms: some ? 15_002.4 : null };
  };
  const parts = axis.map((t, i) => count(t, step, i));
  const before = axis.map((t) => count(t - axis.length * step, step, -1));
  const latency = { p50_ms: [], p95_ms: [], p99_ms: [], max_ms: [] };
  parts.forEach(({ requests, failed }, i) => {
    const strain = 1 + failed[0] / Math.max(1, step / 60) / 14;
    const base = requests === 0 ? null : 17 + 4 * noise(21, axis[i]);
    latency.p50_ms.push(base);
    latency.p95_ms.push(base === null ? null : base * (6 + 2.4 * noise(22, axis[i])) * strain);
    latency.p99_ms.push(base === null ? null : base * (16 + 14 * noise(23, axis[i])) * strain);
    latency.max_ms.push(base === null ? null : base * (60 + 80 * noise(24, axis[i])));
  });
  const largest = [...series].map(([key, requests]) => ({ key, requests })).sort((a, b) => total(b.requests) - total(a.requests));
  const rows = (name) => [...top[name].values()].sort((a, b) => b.requests - a.requests).slice(0, 20).map((row, i) => ({ ...row, p95_ms: 40 + 310 * noise(31, row.key.length, i) }));
  return {
    since: new Date(since).toISOString(), until: new Date(until).toISOString(), step_s: step, by, times: axis, series: largest.slice(0, 12), latency,
    totals: sum(parts), before: sum(before),
    top: {
      hosts: rows('host'), paths: rows('path'), origins: rows('origin'),
      causes: rows('cause').map(({ key, requests }) => ({ key, requests, actor: actorOf(key), summary: explained.get(key)?.summary ?? byCause.get(key)?.summary ?? '' })),
      statuses: rows('status').map(({ key, requests }) => ({ key, requests })),
    },
  };
}
const total = (list) => list.reduce((n, v) => n + v, 0);

const hex = (n, digits) => n.toString(16).padStart(digits, '0');
const rayOf = (index, m, k) => hex(m * 60 + Math.floor(noise(index + 3, m, k) * 60), 8) + hex(index + 1, 2) + hex(k, 2) + hex(Math.floor(noise(index + 9, m, k) * 0xffff), 4);

function shaped(base, changes) {
  const one = structuredClone(base);
  return Object.assign(one, changes, { request: { ...one.request, ...changes.request }, explain: { title: TITLES[one.edge_status] ?? '', summary: explained.get(one.cause)?.summary ?? '', fix: one.fix, status: one.edge_status } });
}
/// The case of a made-up Ray ID: a recorded one in other clothes.
function made(ray) {
  const seconds = parseInt(ray.slice(0, 8), 16);
  const index = parseInt(ray.slice(8, 10), 16) - 1;
  const k = parseInt(ray.slice(10, 12), 16);
  const stream = STREAMS[index];
  const m = Math.floor(seconds / 60);
  if (!stream || !(k < failuresIn(index, m)) || rayOf(index, m, k) !== ray) return null;
  const base = byCause.get(stream.cause) ?? byCause.get('resp.empty_fin');
  return shaped(base, {
    ray_id: ray, time: new Date(seconds * 1000 + Math.floor(noise(k, seconds) * 1000)).toISOString(), cause: stream.cause,
    edge_status: statusOf(stream), origin_status: stream.status && stream.status !== 499 ? stream.status : base.origin_status,
    ...(stream.cause === 'client.abort' ? { phase: 'client', actor: 'client', summary: 'The client closed the connection before the response was complete (after 1,204 ms).', fix: 'Look at how long the response took; a client that leaves at a round number of seconds has a timeout.', evidence: { close: 'rst', response_bytes: 18_201 }, attempts: [] } : {}),
    origin: ORIGINS[stream.origin], request: { method: stream.method, scheme: 'https', host: stream.host, uri: stream.path, sni: stream.host },
  });
}
/// The recorded ones, each once, some minutes apart, so that every cause can be looked at.
const shown = recorded.map((one, i) => shaped(one, {
  time: new Date(started - (40 + i * 9) * 60_000 - i * 731).toISOString(), request: { host: GOOD[i % GOOD.length].host },
  ...(one.cause === 'resp.bad_header_name.space' ? { trace: { outcome: 'matched', confidence: 1, origin_line: `10.0.4.10 - - [28/Nov/2026:21:28:04 +0000] "GET ${one.request.uri} HTTP/1.1" 200 5 "-" "-" ray=${one.ray_id}`, nearby: ['2026/11/28 21:28:04 [warn] 812#812: *7 upstream sent a header with a space before its colon'] } } : {}),
}));
const row = (one) => ({
  ray_id: one.ray_id, time: one.time, duration_ms: one.duration_ms, edge_status: one.edge_status, origin_status: one.origin_status, cause: one.cause, phase: one.phase, actor: one.actor,
  summary: one.summary, method: one.request.method, host: one.request.host, uri: one.request.uri, origin: one.origin, attempts: one.attempts.length, aborted: one.aborted,
});

function cases(query) {
  const since = moment(query.get('since') ?? '24h', 0);
  let until = moment(query.get('until'), Date.now());
  const limit = Math.min(500, Number(query.get('limit') ?? 50));
  const before = query.get('before');
  const last = before ? (made(before) ?? shown.find((one) => one.ray_id === before)) : null;
  if (last) until = Date.parse(last.time);
  const found = shown.filter((one) => Date.parse(one.time) >= since && Date.parse(one.time) < until);
  const wanted = (one) => fits(query, { host: one.request.host, origin: one.origin, path: one.request.uri, status: one.edge_status, cause: one.cause });
  const kept = found.filter(wanted);
  const live = STREAMS.map((stream, i) => i).filter((i) => fits(query, { ...STREAMS[i], origin: ORIGINS[STREAMS[i].origin], status: statusOf(STREAMS[i]) }));
  for (let m = Math.floor(until / 60_000), n = 0; m * 60_000 + 60_000 > since && n <= limit; m -= 1) {
    for (const i of live) {
      for (let k = 0; k < Math.min(255, failuresIn(i, m)); k += 1) {
        const one = made(rayOf(i, m, k));
        const at = one ? Date.parse(one.time) : 0;
        if (one && at >= since && at < until) { kept.push(one); n += 1; }
      }
    }
  }
  kept.sort((a, b) => b.time.localeCompare(a.time) || b.ray_id.localeCompare(a.ray_id));
  const page = kept.slice(0, limit);
  return { cases: page.map(row), next: kept.length > limit ? page.at(-1).ray_id : null };
}

function findings() {
  const now = Date.now();
  const some = (cause, n) => cases(new URLSearchParams({ cause, limit: String(n) })).cases.map((one) => one.ray_id);
  const of = (cause, factor, value, failed, requests, inside, outside, confidence, since) => ({
    cause, actor: actorOf(cause), factor, value, inside_rate: inside, inside_rate_low: inside * 0.86, inside_rate_high: inside * 1.15, outside_rate: outside, failed, requests, compared: true, confidence,
    since: new Date(now - since * 60_000).toISOString(), last: new Date(now - 40_000).toISOString(), sample_rays: some(cause, 5), fix: byCause.get(cause)?.fix ?? '',
    sentence: `${+(inside * 100).toFixed(1)} % of ${factor ? `requests with ${factor} ${value}` : 'all requests'} failed so${factor ? `, ${+(outside * 100).toFixed(2)} % of the others` : ''}: ${explained.get(cause)?.summary ?? ''}`,
  });
  return {
    computed: new Date(now - 21_000).toISOString(), since: new Date(now - 86_400_000).toISOString(), until: new Date(now).toISOString(), records: 1_162_408, failures: 7_316, sampled: false,
    findings: [
      of('resp.empty_fin', 'origin', '10.0.4.21:8443', 487, 24_120, 0.0202, 0.0001, 0.9999, 27),
      of('reuse.stale', 'idle time', '5 s to 10 s', 2_104, 15_900, 0.1323, 0.0004, 0.9998, 1_430),
      of('resp.headers_too_large', 'path', '/account', 1_211, 34_870, 0.0347, 0, 0.9992, 1_438),
      of('connect.refused', 'time', 'ten minutes', 414, 8_200, 0.0505, 0, 0.9971, 212),
      of('time.first_byte', 'path', '/v1/reports/export', 548, 2_190, 0.2502, 0.0001, 0.9989, 1_421),
      of('body.short_fin', '', '', 2_322, 1_162_408, 0.002, 0, 0, 1_402),
    ],
  };
}

export class Mock {
  constructor({ token = null } = {}) {
    this.token = token;
    this.switches = { draining: false, profile: 'guide', profiles: ['guide', 'cloudflare-2026', 'cloudflare-legacy'] };
    /// A ledger of two edges, one of which has fallen silent.
    const seen = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
    this.nodes = [
      { node: 'fra-1', colo: 'FRA', version: '0.1.0', node_id: 1, started: seen(86_400), seen: seen(4), silent: false, recorded: 41_204_113, shipped: 41_203_870, waiting: 243, lost: 0 },
      { node: 'ams-2', colo: 'AMS', version: '0.1.0', node_id: 2, started: seen(86_400), seen: seen(840), silent: true, recorded: 12_004_532, shipped: 11_990_020, waiting: 13_512, lost: 1_000 },
    ];
    this.http2 = new Map(ORIGINS.map((url) => [url, 'configured']));
  }

  origins() {
    return {
      origins: ORIGINS.map((url, i) => {
        const set = this.http2.get(url);
        const configured = url.startsWith('https:') && i === 0;
        return {
          url, http2_configured: configured, http2_switch: set, http2: url.startsWith('https:') && (set === 'on' || (set === 'configured' && configured)),
          pools: i === 1 ? [] : [{ name: i === 0 ? 'shop' : 'reports', healthy: i !== 2, last_error: i === 2 ? 'Response timeout' : null }],
          requests: [24_310, 9_204, 9_870][i], failures: [552, 131, 41][i], p50_ms: [16.2, 21.9, 28.1][i], p95_ms: [131.4, 96.2, 402.7][i],
          connections: i === 1 ? null : { idle: 12 - i * 3, active: 3 + i }, idle_timeout_ms: [null, 5_004, 60_011][i],
        };
      }),
    };
  }

  /// {status, body} of a request to /api.
  answer(method, path, query, body) {
    const no = (status, error) => ({ status, body: { error } });
    try {
      if (path === '/api/traffic') return { status: 200, body: traffic(query) };
      if (path === '/api/cases') return { status: 200, body: cases(query) };
      if (path === '/api/findings') return { status: 200, body: findings() };
      const ray = /^\/api\/rays\/([0-9a-f]{16})$/.exec(path);
      if (ray) {
        const one = made(ray[1]) ?? shown.find((other) => other.ray_id === ray[1]);
        return one ? { status: 200, body: one } : no(404, `there is no ray ${ray[1]}`);
      }
      const cause = /^\/api\/causes\/([a-z0-9_.]+)$/.exec(path);
      if (cause) return explained.has(cause[1]) ? { status: 200, body: explained.get(cause[1]) } : no(404, `there is no cause ${cause[1]}`);
      if (path === '/api/nodes') return { status: 200, body: { nodes: this.nodes } };
      if (path === '/api/origins') return { status: 200, body: this.origins() };
      if (path === '/api/origins/http2' && method === 'PUT') {
        if (!this.http2.has(body?.origin)) return no(404, `there is no origin ${body?.origin}`);
        if (!['on', 'off', 'configured'].includes(body.http2)) return no(400, 'http2 is on, off or configured');
        this.http2.set(body.origin, body.http2);
        return { status: 200, body: this.origins() };
      }
      if (path === '/api/switches') {
        if (method === 'PUT') {
          if (typeof body?.draining === 'boolean') this.switches.draining = body.draining;
          if (body?.profile !== undefined) {
            if (!this.switches.profiles.includes(body.profile)) return no(400, `there is no profile ${body.profile}`);
            this.switches.profile = body.profile;
          }
        }
        return { status: 200, body: this.switches };
      }
      return no(404, `there is nothing at ${path}`);
    } catch (error) {
      return no(error.status ?? 500, error.message);
    }
  }

  status(open) {
    const short = { version: '0.9.0', requires_token: this.token !== null };
    if (!open) return short;
    return {
      ...short, colo: 'LAB', started: new Date(started - 93_600_000).toISOString(), now: new Date().toISOString(), profile: this.switches.profile, draining: this.switches.draining,
      records: { written: 1_162_408, cases: 7_316, dropped: 0, store: 'sqlite', retention_hours: 168 },
    };
  }

  /// The next record of the tail.
  record(only, n) {
    const failing = only !== 'all' || n % 7 === 0;
    const now = new Date();
    if (failing) {
      const stream = STREAMS[Math.floor(noise(n, now.getTime()) * STREAMS.length)];
      const ray = cases(new URLSearchParams({ cause: stream.cause, limit: '1' })).cases[0];
      return { ...ray, time: now.toISOString() };
    }
    const good = GOOD[Math.floor(noise(n, 3, now.getTime()) * GOOD.length)];
    return {
      ray_id: hex(Math.floor(now.getTime() / 1000), 8) + hex(0xf0, 2) + hex(n & 0xffffff, 6), time: now.toISOString(), duration_ms: 6 + 60 * noise(n, 8), edge_status: 200, origin_status: 200, cause: 'none',
      phase: 'none', actor: 'none', summary: 'The origin answered and the response was delivered.', method: 'GET', host: good.host, uri: good.path, origin: ORIGINS[good.origin], attempts: 1, aborted: false,
    };
  }
}
