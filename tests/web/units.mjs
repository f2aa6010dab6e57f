// The parts that need no browser: the headline, ranges, what is kept of answers, the reading of rays and figures, and colours that can be told apart.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const web = new URL('../../web/', import.meta.url);
const { build } = createRequire(web)('esbuild');
let folder, format, headline, evidence, range, api;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgecase-web-'));
  await build({ entryPoints: ['format.ts', 'headline.ts', 'evidence.ts', 'range.tsx', 'api.ts'].map((name) => new URL(`src/${name}`, web).pathname), outdir: folder, bundle: true, format: 'esm', jsx: 'automatic', jsxImportSource: 'preact', outExtension: { '.js': '.mjs' }, logLevel: 'error' });
  [format, headline, evidence, range, api] = await Promise.all(['format', 'headline', 'evidence', 'range', 'api'].map((name) => import(pathToFileURL(join(folder, `${name}.mjs`)))));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const traffic = (failures, requests, causes, statuses, before = null) => ({
  totals: { requests, failures, client_gone: 0 }, before, top: { causes: causes.map(([key, n]) => ({ key, requests: n, summary: `${key} happened.` })), statuses: statuses.map(([key, n]) => ({ key, requests: n })) },
});

test('the headline says what is wrong in words', () => {
  const say = (...words) => headline.headline(traffic(...words), 'hour').sentence;
  assert.equal(say(1204, 90_000, [['none', 88_000], ['resp.empty_fin', 800], ['reuse.stale', 220], ['body.short_fin', 112], ['h2.rst_stream', 72], ['client.abort', 500]], [['200', 88_112], ['520', 1092]]), 'Mostly 520s: 3 causes explain 94 % of 1,204 failures.');
  assert.equal(say(20, 100, [['none', 80], ['resp.empty_fin', 20]], [['200', 80], ['520', 20]]), '520s: one cause explains all 20 failures.');
  assert.equal(say(1, 100, [['connect.refused', 1]], [['521', 1]]), '521s: one cause explains the one failure.');
  assert.equal(say(40, 100, [['resp.empty_fin', 37], ['connect.refused', 3]], [['520', 37], ['521', 3]]), 'Mostly 520s: one cause explains 93 % of 40 failures.');
  assert.equal(say(247, 310, [['a.b', 7], ['c.d', 6], ['e.f', 6]], [['520', 177], ['525', 14]]), 'Mostly 520s: 247 failures, and no cause stands out.');
  assert.equal(say(40, 100, [['body.short_fin', 37], ['resp.empty_fin', 3]], [['200', 97], ['520', 3]]), 'Failures: one cause explains 93 % of 40 failures.');
  assert.equal(say(5, 100, [['edge.loop', 5]], [['200', 95], ['403', 5]]), 'Failures: one cause explains all 5 failures.');
  assert.equal(say(5, 100, [['body.short_fin', 5], ['client.bad_version', 30]], [['200', 70], ['505', 30]]), 'Failures: one cause explains all 5 failures.');
  assert.equal(say(0, 100, [['none', 100]], [['200', 100]]), 'All is well: 100 requests, no failure.');
  assert.equal(say(0, 0, [], []), 'No request in the last hour.');
});

test('what fails by the client is not told as clients that left', () => {
  const quiet = traffic(0, 100, [['none', 60], ['client.bad_request_line', 40]], [['200', 60], ['400', 40]]);
  quiet.totals.client_gone = 40;
  assert.equal(headline.headline(quiet, 'hour').detail, '40 requests failed by the client’s own doing.');
});

const NOW = Date.parse('2026-11-28T21:00:00Z');
test('until takes a duration back from now, and the words are those of the range that is asked for', () => {
  const of = (text, fallback) => range.rangeOf(new URLSearchParams(text), fallback, NOW);
  const said = (...words) => { const { since, until, phrase, relative } = of(...words); return [since, until, phrase, relative]; };
  assert.deepEqual(said(''), ['1h', null, 'the last hour', true]);
  assert.deepEqual(said('since=90m'), ['90m', null, 'the last 90 minutes', true]);
  assert.deepEqual(said('since=3h&until=1h'), ['3h', '1h', 'those 2 hours', false]);
  assert.deepEqual([of('since=3h&until=1h').from, of('since=3h&until=1h').to], [NOW - 3 * 3_600_000, NOW - 3_600_000]);
  assert.deepEqual(said('until=1h', '24h'), ['24h', '1h', 'those 23 hours', false]);
  assert.deepEqual(said('since=2026-11-28T18:00:00Z&until=1h'), ['2026-11-28T18:00:00Z', '1h', 'those 2 hours', false]);
  assert.deepEqual(said('since=2026-11-28T20:00:00Z'), ['2026-11-28T20:00:00Z', null, 'that hour', false]);
  for (const wrong of ['since=yesterday', 'since=3h&until=later']) assert.deepEqual(said(wrong, '24h'), ['24h', null, 'the last day', true]);
});

test('data of another path goes when the new path fails, and stays while it is asked for', () => {
  const error = new api.ApiError(400, 'there is no cause x');
  const there = { path: '/a', of: '/a', data: 'of a', error: null, busy: false };
  const asked = api.asking(there, '/b');
  assert.deepEqual(asked, { path: '/b', of: '/a', data: 'of a', error: null, busy: true });
  const without = api.failed(asked, '/b', error);
  assert.deepEqual(without, { path: '/b', of: '/b', data: null, error, busy: false });
  assert.equal(api.asking(without, '/b').error, error);
  assert.equal(api.asking(without, '/a', 'of a').data, 'of a');
  assert.equal(api.asking(without, '/a').error, null);
  assert.deepEqual(api.failed(api.asking(there, '/a'), '/a', error), { path: '/a', of: '/a', data: 'of a', error, busy: false });
});

test('a whole answer does not hide what another answer on the page lacks', async () => {
  const told = [];
  api.whenMissing((parts) => told.push(parts));
  const asked = globalThis.fetch;
  let lacks = '', status = 200;
  globalThis.fetch = async () => new Response('{}', { status, headers: lacks ? { 'Edgecase-Missing': lacks } : {} });
  const ask = (path, parts) => { lacks = parts; return api.call(path).catch(() => {}); };
  try {
    const leave = ['/api/traffic?since=1h', '/api/findings', '/api/origins'].map(api.show);
    await ask('/api/traffic?since=1h', 'shard 2, shard 3');
    await ask('/api/findings', '');
    await ask('/api/cases', 'shard 9');
    assert.equal(told.at(-1), 'shard 2, shard 3');
    await ask('/api/origins', 'shard 3, shard 4');
    assert.equal(told.at(-1), 'shard 2, shard 3, shard 4');
    status = 503;
    await ask('/api/traffic?since=1h', '');
    assert.equal(told.at(-1), 'shard 2, shard 3, shard 4');
    status = 200;
    await ask('/api/traffic?since=1h&before=x', 'shard 5');
    await ask('/api/traffic?since=1h&before=y', '');
    assert.equal(told.at(-1), 'shard 2, shard 3, shard 5, shard 4');
    await ask('/api/traffic?since=6h', '');
    assert.equal(told.at(-1), 'shard 3, shard 4');
    for (const off of leave) off();
    assert.equal(told.at(-1), '');
  } finally {
    globalThis.fetch = asked;
  }
});

test('rays are found in anything that is pasted', () => {
  const { rayIds } = format;
  assert.deepEqual(rayIds('CF-Ray: 7a1b2c3d4e5f6789-LAB'), ['7a1b2c3d4e5f6789']);
  assert.deepEqual(rayIds('7A1B2C3D4E5F6789'), ['7a1b2c3d4e5f6789']);
  assert.deepEqual(rayIds('https://edge.example/ray/7a1b2c3d4e5f6789?x=1 and "ray":"0685251d97cbf100"}'), ['7a1b2c3d4e5f6789', '0685251d97cbf100']);
  assert.deepEqual(rayIds('a 17 digit 7a1b2c3d4e5f67890 and a sha 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12'), []);
  assert.deepEqual(rayIds('7a1b2c3d4e5f6789 7a1b2c3d4e5f6789'), ['7a1b2c3d4e5f6789']);
});

test('figures are not rounded to a lie', () => {
  assert.equal(format.percent(0.99999), '> 99.9 %');
  assert.equal(format.percent(0.00001), '< 0.01 %');
  assert.equal(format.percent(0.00097), '0.1 %');
  assert.equal(format.percent(0), '0 %');
  assert.equal(format.percent(1), '100 %');
  assert.equal(format.duration(0.0034), '3 µs');
  assert.equal(format.duration(59_999), '1 min');
  assert.equal(format.duration(3_600_000), '1 h');
  assert.equal(format.duration(null), '–');
  assert.equal(format.ordinal(11), '11th');
});

test('the time axis of a case stands at round moments', () => {
  for (const whole of [0.001, 0.656, 1, 4, 6.95, 59.7, 2003, 15_000]) {
    const all = evidence.ticks(whole);
    assert.ok(all.length >= 3 && all.length <= 6, `${whole}: ${all}`);
    assert.ok(all[0] === 0 && all.at(-1) <= whole * 1.0001, `${whole}: ${all}`);
    assert.match((all[1] / 10 ** Math.floor(Math.log10(all[1] * 1.0001))).toFixed(3), /^[125]\.000$/);
  }
});

test('every recorded case can be told, and its phases are in order', () => {
  for (const record of JSON.parse(readFileSync(new URL('fixtures/cases.json', web), 'utf8'))) {
    for (const attempt of record.attempts) {
      if (attempt.evidence === 'same') attempt.evidence = record.evidence;
      const { phases, total } = evidence.phases(attempt);
      let at = 0;
      for (const phase of phases) {
        assert.ok(phase.start >= at - 1e-9 && phase.length >= 0, record.cause);
        at = phase.start + phase.length;
      }
      assert.ok(Math.abs(at - total) < 1e-6);
    }
    const told = evidence.tell(record);
    if (record.cause !== 'none' && record.cause !== 'origin.status') assert.ok(told.length > 0, record.cause);
    for (const one of told) assert.ok(!/undefined|null|NaN|\[object/.test(one.text), `${record.cause}: ${one.text}`);
    for (const group of evidence.groups(record.evidence)) assert.notEqual(group.name, 'Other', `${record.cause}: ${group.facts.map((fact) => fact.key)}`);
    for (const line of record.evidence.h2_frames ?? []) assert.ok(evidence.frame(line), line);
  }
});

// Colours as people with each kind of colour blindness see them (Machado, Oliveira, Fernandes 2009, severity 1).
const SEEN = {
  all: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const rgb = (hex) => [1, 3, 5].map((i) => linear(parseInt(hex.slice(i, i + 2), 16) / 255));
function oklab([r, g, b]) {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b), m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b), s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}
const seen = (hex, m) => { const [r, g, b] = rgb(hex); return oklab([0, 3, 6].map((i) => Math.max(0, m[i] * r + m[i + 1] * g + m[i + 2] * b))); };
const luminance = (hex) => { const [r, g, b] = rgb(hex); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };

test('neighbouring series are told apart by colour-blind people, and stand out from the ground', () => {
  const source = readFileSync(new URL('src/palette.ts', web), 'utf8');
  for (const [name, ground] of [['LIGHT', '#ffffff'], ['DARK', '#151920']]) {
    const colours = new RegExp(`const ${name} = \\[([^\\]]*)\\]`).exec(source)[1].match(/#[0-9a-f]{6}/g);
    assert.equal(colours.length, 6);
    for (const colour of colours) {
      const [high, low] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
      assert.ok((high + 0.05) / (low + 0.05) >= 3, `${name} ${colour}`);
    }
    for (const [kind, matrix] of Object.entries(SEEN)) {
      for (let i = 0; i + 1 < colours.length; i += 1) {
        const [a, b] = [seen(colours[i], matrix), seen(colours[i + 1], matrix)];
        const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        assert.ok(distance > 0.08, `${name}, ${kind}: ${colours[i]} and ${colours[i + 1]} are ${distance.toFixed(3)} apart`);
      }
    }
  }
});
