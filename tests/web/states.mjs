// What a page shows while it waits, when there is nothing, when it goes wrong, and when the values are hostile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, hold, open, pickRay, release, serve, settled } from './stage.mjs';

let stage, browser;
before(async () => { [stage, browser] = await hold(); });
after(release);

const answer = (body, status = 200) => (route) => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
const NOTHING = {
  '/api/traffic': { since: '2026-11-28T20:00:00.000Z', until: '2026-11-28T21:00:00.000Z', step_s: 60, by: 'cause', times: [1795896000, 1795896060], series: [], latency: { p50_ms: [null, null], p95_ms: [null, null], p99_ms: [null, null], max_ms: [null, null] },
    totals: { requests: 0, failures: 0, edge_errors: 0, origin_errors: 0, client_gone: 0, bytes_in: 0, bytes_out: 0, p50_ms: null, p95_ms: null, p99_ms: null, max_ms: null }, before: null, top: { hosts: [], paths: [], origins: [], causes: [], statuses: [] } },
  '/api/cases': { cases: [], next: null },
  '/api/findings': { computed: '2026-11-28T21:00:00.000Z', since: '2026-11-27T21:00:00.000Z', until: '2026-11-28T21:00:00.000Z', records: 0, failures: 0, sampled: false, findings: [] },
  '/api/origins': { origins: [] },
};
const pathIs = (path) => (url) => url.pathname === path;

test('empty pages say so', async () => {
  const tab = await open(browser, stage.url);
  for (const [path, body] of Object.entries(NOTHING)) await tab.page.route(pathIs(path), answer(body));
  await tab.page.route('**/api/tail*', (route) => route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }));
  for (const [path, words] of [['/', 'No request in the last hour'], ['/cases', 'No case in this range'], ['/cases?cause=resp', 'No case with these filters'], ['/findings', 'Nothing stands out'], ['/origins', 'No origin is configured'], ['/tail', 'Live tail']]) {
    await tab.go(path);
    await tab.page.getByText(words).first().waitFor();
    if (['/', '/cases', '/origins'].includes(path)) assert.deepEqual(await axe(tab.page, path), []);
  }
  await tab.check(assert);
  await tab.close();
});

test('no failure is told as good news', async () => {
  const tab = await open(browser, stage.url);
  await tab.page.route(pathIs('/api/traffic'), answer({ ...NOTHING['/api/traffic'], series: [{ key: 'none', requests: [40, 60] }], totals: { ...NOTHING['/api/traffic'].totals, requests: 100 } }));
  await tab.go('/');
  await tab.page.getByText('All is well: 100 requests, no failure.').waitFor();
  await tab.page.getByText('No failure in this range').waitFor();
  await tab.close();
});

test('a page that waits holds its place and says that it loads', async () => {
  const tab = await open(browser, stage.url);
  await tab.page.route('**/api/**', () => {});
  for (const path of ['/', '/cases', '/findings', '/origins', '/edge', '/ray/0123456789abcdef']) {
    await tab.page.goto(stage.url + path);
    await tab.page.getByRole('status', { name: 'Loading' }).first().waitFor();
    if (path === '/' || path.startsWith('/ray')) assert.deepEqual(await axe(tab.page, path), []);
  }
  await tab.close();
});

test('an error is told in the words of the edge, and trying again works', async () => {
  const tab = await open(browser, stage.url);
  for (const [path, api] of [['/', '/api/traffic'], ['/cases', '/api/cases'], ['/findings', '/api/findings'], ['/origins', '/api/origins'], ['/edge', '/api/switches']]) {
    const there = pathIs(api);
    await tab.page.route(there, answer({ error: 'the store is being opened' }, 503));
    await tab.go(path);
    await tab.page.getByText('the store is being opened').first().waitFor();
    if (path === '/findings') assert.deepEqual(await axe(tab.page, path), []);
    await tab.page.unroute(there);
    // Pages that ask again by themselves may be quicker than the click.
    await tab.page.getByRole('button', { name: 'Try again' }).first().click({ timeout: path === '/cases' ? 15_000 : 3_000 }).catch((late) => { if (path === '/cases') throw late; });
    await tab.page.getByText('the store is being opened').first().waitFor({ state: 'detached' });
  }
  await tab.page.route(pathIs('/api/findings'), (route) => route.abort());
  await tab.go('/findings');
  await tab.page.getByText('The edge does not answer').waitFor();
  await tab.check(assert);
  await tab.close();
});

test('what no longer answers keeps its last figures, marked as old', async () => {
  const tab = await open(browser, stage.url);
  await tab.page.clock.install();
  await tab.go('/');
  await tab.page.route(pathIs('/api/traffic'), answer({ error: 'the store is busy' }, 503));
  await tab.page.clock.runFor(20_000);
  await tab.page.getByText('These figures are not of now').waitFor();
  assert.ok(await tab.page.locator('.tiles').isVisible());
  for (const [path, api, shown] of [['/findings', '/api/findings', '.finding'], ['/origins', '/api/origins', '.origin'], ['/edge', '/api/switches', '.switches']]) {
    await tab.go(path);
    await tab.page.route(pathIs(api), answer({ error: 'the store is busy' }, 503));
    await tab.page.clock.runFor(61_000);
    await tab.page.getByText('These figures are not of now: the store is busy').waitFor();
    assert.ok(await tab.page.locator(shown).first().isVisible(), path);
    if (path === '/origins') assert.deepEqual(await axe(tab.page, path), []);
  }
  await tab.go('/cases');
  await tab.page.getByRole('link', { name: 'Live tail' }).click();
  await tab.page.getByRole('heading', { name: 'Live tail' }).waitFor();
  await tab.page.route(pathIs('/api/cases'), answer({ error: 'the store is busy' }, 503));
  await tab.page.getByRole('link', { name: 'Cases', exact: true }).first().click();
  await tab.page.getByText('These figures are not of now: the store is busy').waitFor();
  assert.ok(await tab.page.locator('.case-row').first().isVisible());
  await tab.close();
});

test('a cause that there is not is told, and the list of before is gone', async () => {
  const tab = await open(browser, stage.url);
  await tab.go('/cases?since=7d');
  await tab.page.locator('.case-row').first().waitFor();
  await tab.page.getByLabel('Cause').fill('no.such.cause');
  await tab.page.getByLabel('Cause').press('Enter');
  await tab.page.getByText('there is no cause no.such.cause').waitFor();
  assert.equal(await tab.page.locator('.case-row').count(), 0);
  await tab.page.getByRole('link', { name: /Cause.*no\.such\.cause/ }).click();
  await tab.page.locator('.case-row').first().waitFor();
  await tab.close();
});

test('the blame is the one the edge tells, and none where it tells none', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  const traffic = structuredClone(NOTHING['/api/traffic']);
  traffic.series = [{ key: 'dns.timeout', requests: [5, 4] }, { key: 'tls.rst', requests: [1, 1] }];
  traffic.top.causes = [{ key: 'dns.timeout', requests: 9, actor: 'network', summary: 'No answer.' }];
  Object.assign(traffic.totals, { requests: 11, failures: 11 });
  const finding = { cause: 'dns.address_prohibited', actor: 'edge', factor: '', value: '', sentence: 'All fail.', inside_rate: 1, inside_rate_low: 1, inside_rate_high: 1, outside_rate: 0, failed: 9, requests: 9, unit: 'requests', hidden_by_retry: false, compared: true, confidence: 1, since: traffic.since, last: traffic.until, sample_rays: [], fix: '' };
  await page.route(pathIs('/api/traffic'), answer(traffic));
  await page.route(pathIs('/api/findings'), answer({ ...NOTHING['/api/findings'], findings: [finding] }));
  await tab.go('/');
  assert.deepEqual(await page.locator('.legend .legend-key').allInnerTexts().then((all) => all.map((text) => text.replace(/\s+/g, ' ').trim())), ['dns.timeout Network', 'tls.rst']);
  await page.locator('.finding .actor').getByText('Edge').waitFor();
  await tab.go('/findings');
  await page.locator('.finding .actor').getByText('Edge').waitFor();
  await tab.close();
});

test('what has no name of its own leads nowhere, and the rest to the cases of the same range', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  const traffic = structuredClone(NOTHING['/api/traffic']);
  const top = ['-', '(other)', 'a.example'].map((key) => ({ key, requests: 6, failures: 3, p95_ms: 1 }));
  Object.assign(traffic, { by: 'host', series: top.map(({ key }) => ({ key, requests: [3, 3] })) });
  Object.assign(traffic.totals, { requests: 18, failures: 9 });
  traffic.top = { hosts: top, paths: top.slice(0, 2), origins: top.slice(0, 2), causes: [], statuses: [{ key: '0', requests: 9 }, { key: '520', requests: 9 }] };
  await page.route(pathIs('/api/traffic'), answer(traffic));
  await tab.go('/?by=host');
  const hrefs = await page.locator('.legend a, .top-table a, .status-list a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
  assert.deepEqual(hrefs.sort(), ['/?by=host&host=a.example', '/?by=host&host=a.example', '/cases?since=1h&host=a.example', '/cases?since=1h&host=a.example', '/cases?since=1h&status=520'].sort());
  assert.equal(await page.locator('.top-table tr').getByText('(other)').count(), 3);
  await page.locator('.tile').getByText('Client’s fault').waitFor();
  await tab.close();
});

test('by status all requests are counted, for a cut body has a 200', async () => {
  const tab = await open(browser, stage.url);
  const traffic = structuredClone(NOTHING['/api/traffic']);
  Object.assign(traffic, { by: 'status', series: [{ key: '200', requests: [40, 40] }, { key: '505', requests: [0, 1] }] });
  Object.assign(traffic.totals, { requests: 81, failures: 3 });
  await tab.page.route(pathIs('/api/traffic'), answer(traffic));
  await tab.go('/?by=status');
  assert.deepEqual((await tab.page.locator('.legend bdi').allInnerTexts()).map((text) => text.trim()), ['200', '505']);
  assert.equal(await tab.page.getByRole('group', { name: 'What is counted' }).count(), 0);
  await tab.page.getByRole('heading', { name: 'Requests', exact: true }).waitFor();
  await tab.close();
});

test('a tail that the edge refuses is opened again, and asks for the token if that is why', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  let asked = 0;
  const again = new Promise((resolve) => {
    void page.route('**/api/tail*', (route) => {
      asked += 1;
      if (asked === 2) resolve();
      return asked === 1 ? answer({ error: 'too many watch' }, 503)(route) : route.fulfill({ contentType: 'text/event-stream', body: 'retry: 600000\n: nothing\n\n' });
    });
  });
  await page.route(pathIs('/api/switches'), answer({ error: 'the edge is ending' }, 503));
  await tab.go('/tail');
  await page.getByText('the edge is ending').waitFor();
  await again;
  await page.route('**/api/tail*', answer({ error: 'a token is needed' }, 401));
  await page.route(pathIs('/api/switches'), answer({ error: 'a token is needed' }, 401));
  await page.getByRole('button', { name: 'All requests' }).click();
  await page.getByLabel('Token').waitFor();
  await tab.close();
});

test('figures of origins that cannot be read are not told as none', async () => {
  const tab = await open(browser, stage.url);
  await tab.page.route(pathIs('/api/origins'), answer({ origins: [{ url: 'https://10.0.0.20:8443', http2: true, http2_configured: true, http2_switch: 'configured', pools: [], requests: null, failures: null, p50_ms: null, p95_ms: null, connections: null, idle_timeout_ms: null }] }));
  await tab.go('/origins');
  assert.deepEqual((await tab.page.locator('.origin-figures dd').allInnerTexts()).slice(0, 2), ['–', '–']);
  await tab.page.getByText('Not known', { exact: true }).waitFor();
  await tab.check(assert);
  await tab.close();
});

test('a part of the ledger that does not answer is named, until it does', async () => {
  const tab = await open(browser, stage.url);
  const partly = (route) => route.fulfill({ status: 200, contentType: 'application/json', headers: { 'Edgecase-Missing': 'shard 2 (10.0.0.2:9000)' }, body: JSON.stringify(NOTHING['/api/traffic']) });
  await tab.page.clock.install();
  await tab.page.route(pathIs('/api/traffic'), partly);
  await tab.go('/');
  const banner = tab.page.getByText('shard 2 (10.0.0.2:9000)');
  await banner.waitFor();
  assert.deepEqual(await axe(tab.page, 'partial'), []);
  // A whole answer that comes later is of something else.
  const findings = tab.page.waitForResponse('**/api/findings');
  await tab.page.route(pathIs('/api/traffic'), () => {});
  await tab.page.clock.runFor(61_000);
  await (await findings).finished();
  await tab.page.clock.runFor(500);
  assert.equal(await banner.count(), 1);
  await tab.page.getByRole('link', { name: 'Findings' }).first().click();
  await tab.page.getByRole('heading', { name: /findings?$/ }).waitFor();
  await banner.waitFor({ state: 'detached' });
  await tab.close();
});

test('the edges of a ledger are listed, a silent one is told, and each leads to its own cases', async () => {
  const tab = await open(browser, stage.url);
  const node = (name, more) => ({ node: name, colo: 'FRA', version: '0.1.0', node_id: 1, started: '2026-11-28T20:00:00.000Z', seen: '2026-11-28T21:00:00.000Z', silent: false, recorded: 10, shipped: 10, waiting: 0, lost: 0, ...more });
  await tab.page.route(pathIs('/api/nodes'), answer({ nodes: [node('fra-1'), node('ams-2', { silent: true, lost: 7 })] }));
  await tab.go('/edge');
  const row = tab.page.getByRole('row').filter({ hasText: 'ams-2' });
  await row.getByText('silent').waitFor();
  assert.deepEqual(await axe(tab.page, 'nodes'), []);
  const asked = tab.page.waitForRequest((request) => new URL(request.url()).pathname === '/api/cases');
  await row.getByRole('link', { name: 'Cases of ams-2' }).click();
  assert.equal(new URL((await asked).url()).searchParams.get('node'), 'ams-2');
  await tab.close();
});

test('a ray that is not there leads on', async () => {
  const tab = await open(browser, stage.url);
  await tab.go('/ray/0000000000000000');
  await tab.page.getByRole('heading', { name: 'No record of this ray' }).waitFor();
  await tab.go('/ray/not-a-ray');
  await tab.page.getByRole('heading', { name: 'That is no Ray ID' }).waitFor();
  await tab.check(assert);
  await tab.close();
});

test('without the token there is a door, and the token opens it', { skip: !!process.env.EDGECASE_ADMIN_URL }, async () => {
  const locked = await serve('--token', 'open-sesame');
  try {
    const tab = await open(browser, locked.url);
    await tab.page.goto(`${locked.url}/findings`);
    const field = tab.page.getByLabel('Token');
    await field.fill('wrong');
    await tab.page.getByRole('button', { name: 'Log in' }).click();
    await tab.page.getByText('That is not the token.').waitFor();
    assert.deepEqual(await axe(tab.page, 'login'), []);
    await field.fill('open-sesame');
    await tab.page.getByRole('button', { name: 'Log in' }).click();
    await tab.page.getByRole('heading', { name: /findings?$/ }).waitFor();
    await tab.page.getByRole('button', { name: 'Log out' }).click();
    await tab.page.getByLabel('Token').waitFor();
    await tab.check(assert);
    await tab.close();
  } finally {
    await locked.stop();
  }
});

const SCRIPT = '<script>window.owned = 1</script><img src=x onerror="window.owned=1">';
const RIGHT_TO_LEFT = '\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627';
const LONG = `/${'a%20b/'.repeat(700)}`;

test('hostile values are shown as text and break nothing', async () => {
  const ray = await pickRay(stage.url, 'resp.bad_header_name.space');
  const record = await (await fetch(`${stage.url}/api/rays/${ray}`)).json();
  const hostile = {
    ...record, summary: `${SCRIPT} ${RIGHT_TO_LEFT} ${'x'.repeat(600)}`, fix: `Run \`${SCRIPT}\` not`, client: SCRIPT, origin: `http://${'h'.repeat(300)}`,
    request: { ...record.request, method: 'M'.repeat(40), host: `${RIGHT_TO_LEFT}.example`, uri: LONG + SCRIPT, user_agent: SCRIPT.repeat(8), referer: RIGHT_TO_LEFT },
    evidence: {
      ...record.evidence, [SCRIPT]: SCRIPT, field: SCRIPT, values: [SCRIPT, RIGHT_TO_LEFT, 'v'.repeat(500)], largest_fields: [], close: SCRIPT, h2_error: SCRIPT, h2_frames: [SCRIPT, '> HEADERS stream 1 flags 0x05 (END_STREAM) length 6', `< GOAWAY stream 0 flags 0x00 length 8 ${'E'.repeat(300)}`],
      sample: { offset: 5, first_offset: 0, text: `${SCRIPT}${RIGHT_TO_LEFT}\\r\\n\\x00${'z'.repeat(400)}`, caret: 5 }, nothing: null, deep: { a: 1 },
    },
    trace: { outcome: 'matched', origin_line: SCRIPT + LONG, nearby: [RIGHT_TO_LEFT, SCRIPT] },
  };
  const row = { ray_id: ray, time: record.time, duration_ms: 1, edge_status: 520, origin_status: 0, cause: 'resp.empty_fin', phase: 'resp', actor: 'origin', summary: hostile.summary, method: 'GET', host: hostile.request.host, uri: LONG + SCRIPT, origin: hostile.origin, attempts: 2, aborted: true };
  const traffic = structuredClone(NOTHING['/api/traffic']);
  Object.assign(traffic, { series: [{ key: SCRIPT, requests: [3, 4] }, { key: RIGHT_TO_LEFT, requests: [1, 1] }] });
  Object.assign(traffic.totals, { requests: 9, failures: 9, edge_errors: 9 });
  const top = [{ key: LONG, requests: 5, failures: 5, p95_ms: 1 }, { key: SCRIPT, requests: 4, failures: 4, p95_ms: null }, { key: RIGHT_TO_LEFT, requests: 1, failures: 0, p95_ms: 3 }];
  traffic.top = { hosts: top, paths: top, origins: top, causes: [{ key: SCRIPT, requests: 7, actor: 'origin', summary: SCRIPT }], statuses: [{ key: '520', requests: 9 }] };
  const finding = { cause: 'resp.empty_fin', actor: 'origin', factor: 'path', value: LONG, sentence: SCRIPT + RIGHT_TO_LEFT, inside_rate: 0.5, inside_rate_low: 0.4, inside_rate_high: 0.6, outside_rate: 0, failed: 9, requests: 18, confidence: 0.99, since: record.time, last: record.time, sample_rays: [ray], fix: SCRIPT };
  const origin = { url: `https://${SCRIPT}${'o'.repeat(200)}`, http2: true, http2_configured: true, http2_switch: 'on', pools: [{ name: SCRIPT, healthy: false, since: record.time, last_error: LONG }], requests: 1, failures: 1, p50_ms: null, p95_ms: null, connections: null, idle_timeout_ms: null };

  const tab = await open(browser, stage.url, { viewport: { width: 390, height: 844 } });
  const { page } = tab;
  await page.route(pathIs(`/api/rays/${ray}`), answer(hostile));
  await page.route(pathIs('/api/cases'), answer({ cases: [row, { ...row, ray_id: '1111111111111111' }], next: null }));
  await page.route(pathIs('/api/traffic'), answer(traffic));
  await page.route(pathIs('/api/findings'), answer({ ...NOTHING['/api/findings'], findings: [finding] }));
  await page.route(pathIs('/api/origins'), answer({ origins: [origin] }));
  await page.route('**/api/tail*', (route) => route.fulfill({ contentType: 'text/event-stream', body: `event: record\ndata: ${JSON.stringify(row)}\n\nevent: record\ndata: no json\n\nevent: lost\ndata: {"count": 7}\n\n` }));
  for (const path of [`/ray/${ray}`, '/cases', '/', '/findings', '/origins', '/tail', `/cases?host=${encodeURIComponent(SCRIPT)}`]) {
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      await tab.go(path);
      if (path === '/tail') await page.locator('.tail-row').first().waitFor();
      const seen = await page.evaluate(() => ({ owned: window.owned, over: document.documentElement.scrollWidth - document.documentElement.clientWidth, images: document.images.length, scripts: document.scripts.length }));
      assert.deepEqual(seen, { owned: undefined, over: 0, images: 0, scripts: 1 }, `${path} at ${width}`);
    }
    if (path === '/' || path.startsWith('/ray')) assert.deepEqual(await axe(page, path), []);
  }
  await tab.check(assert);
  await tab.close();
});

test('an answer that is no JSON is an error, not a blank page', async () => {
  const tab = await open(browser, stage.url);
  await tab.page.route(pathIs('/api/findings'), (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }));
  await tab.go('/findings');
  await tab.page.getByText('something that is no JSON').waitFor();
  await settled(tab.page);
  await tab.close();
});
