// What people come for: from an error page to the fix, through the traffic to the cases, by mouse and by keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hold, open, pickRay, release, settled } from './stage.mjs';

let stage, browser, ray;
before(async () => {
  [stage, browser] = await hold();
  ray = await pickRay(stage.url, 'resp.bad_header_name.space');
});
after(release);
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const paste = (page, text) => page.evaluate((pasted) => {
  const data = new DataTransfer();
  data.setData('text', pasted);
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}, text);
const ERROR_PAGE = (id) => `Error 520\nWeb server is returning an unknown error\nRay ID\n${id}\nTime\n2026-11-28 21:28:04 UTC\nIf you run this website: edgecase ray ${id}`;

test('an error page pasted into the search leads to the case and its fix', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/');
  await page.keyboard.press('/');
  await paste(page, ERROR_PAGE(ray));
  await page.waitForURL(`**/ray/${ray}`);
  await settled(page);
  assert.equal(await page.locator('h1').count(), 1);
  const record = await (await fetch(`${stage.url}/api/rays/${ray}`)).json();
  assert.equal((await page.locator('h1').innerText()).trim(), record.summary);
  await page.getByText(`The ${record.actor} is at fault.`).waitFor();
  await page.locator('.party-bad b').getByText('Origin', { exact: true }).waitFor();
  const fix = page.locator('.fix-text');
  assert.equal((await fix.innerText()).trim(), record.fix.replaceAll('`', ''));
  await page.getByRole('button', { name: 'Copy the fix' }).click();
  await page.getByText('Copied the fix').waitFor();
  assert.equal(await clipboard(page), record.fix);
  await page.getByRole('button', { name: 'Copy the permalink' }).click();
  await page.getByText('Copied the permalink').waitFor();
  assert.equal(await clipboard(page), `${stage.url}/ray/${ray}`);
  await tab.check(assert);
  await tab.close();
});

test('the caret stands below the byte that broke the rule', async () => {
  const tab = await open(browser, stage.url);
  const record = await (await fetch(`${stage.url}/api/rays/${ray}`)).json();
  const { sample } = record.evidence;
  if (sample) {
    await tab.go(`/ray/${ray}`);
    const offence = tab.page.locator('.offence');
    const shown = await offence.evaluate((node) => node.firstChild.textContent);
    assert.ok(sample.text.startsWith(shown, sample.caret), `${JSON.stringify(shown)} at ${sample.caret} of ${sample.text}`);
    const [byte, caret] = await Promise.all([offence.boundingBox(), tab.page.locator('.caret').boundingBox()]);
    assert.ok(Math.abs(byte.x - caret.x) < 3 && caret.y > byte.y + 6, JSON.stringify([byte, caret]));
  }
  await tab.close();
});

test('a typed ray is found with its colo, a text without one is said to have none, several give a choice', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/findings');
  const search = page.getByRole('searchbox', { name: /Ray ID/ });
  await search.fill('nothing in here 1234');
  await search.press('Enter');
  await page.getByText('No Ray ID in that').waitFor();
  await search.fill(`CF-Ray: ${ray.toUpperCase()}-LAB`);
  await search.press('Enter');
  await page.waitForURL(`**/ray/${ray}`);
  await search.focus();
  await paste(page, `${ERROR_PAGE(ray)} and ffffffffffffffff`);
  await page.waitForURL('**/ray');
  await page.locator('.found-row').nth(1).waitFor();
  await page.getByText('There is no record of it here.').waitFor();
  await page.locator('.found-row').first().click();
  await page.waitForURL(`**/ray/${ray}`);
  await tab.close();
});

test('a failing slice leads to its cases with one click, and back leads back', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/?since=24h');
  const slice = page.locator('a.legend-row').first();
  const cause = (await slice.locator('bdi').first().innerText()).trim();
  await slice.click();
  await page.waitForURL(/\/cases\?/);
  await settled(page);
  assert.equal(new URL(page.url()).searchParams.get('cause'), cause);
  assert.equal(new URL(page.url()).searchParams.get('since'), '24h');
  const causes = await page.locator('.cr-cause').allInnerTexts();
  assert.ok(causes.length > 0 && causes.every((one) => one.trim() === cause), causes.join());
  await page.locator('.case-row').first().click();
  await page.waitForURL(/\/ray\//);
  await page.goBack();
  await page.goBack();
  await page.waitForURL(/\/\?since=24h$/);
  await page.locator('.tiles').waitFor();
  await tab.check(assert);
  await tab.close();
});

test('brushing the chart zooms, the zoom stands in the address, and a link holds it', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/?since=6h');
  const box = await page.locator('.chart-panel .u-over').first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 70, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.75, box.y + 70, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/since=20.*until=20/);
  const query = new URL(page.url()).searchParams;
  const hours = (Date.parse(query.get('until')) - Date.parse(query.get('since'))) / 3_600_000;
  assert.ok(hours > 2.6 && hours < 3.5, `${hours} h`);
  await page.reload();
  await settled(page);
  await page.getByRole('link', { name: /leave this zoom/ }).waitFor();
  await page.goBack();
  await page.waitForURL(/since=6h/);
  await tab.close();
});

test('a click on the chart opens the cases of that column', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/?since=24h');
  const box = await page.locator('.chart-panel .u-over').first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height - 3);
  await page.locator('.readout').first().waitFor();
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height - 3);
  await page.waitForURL(/\/cases\?.*since=20.*until=20/);
  await page.getByText(/in (that|those) /).waitFor();
  await tab.close();
});

test('a finger brushes the chart, too', async () => {
  const tab = await open(browser, stage.url, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const { page } = tab;
  await tab.go('/?since=6h');
  const over = page.locator('.chart-panel .u-over').first();
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  const touch = (type, x) => over.evaluate((node, [name, clientX, clientY]) => node.dispatchEvent(new PointerEvent(name, { pointerType: 'touch', clientX, clientY, bubbles: true })), [type, x, box.y + 50]);
  await touch('pointerdown', box.x + 40);
  await touch('pointermove', box.x + 120);
  await touch('pointerup', box.x + 160);
  await page.waitForURL(/since=20.*until=20/);
  await tab.close();
});

test('everything works by keys', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  for (const [key, path] of [['c', '/cases'], ['f', '/findings'], ['o', '/origins'], ['l', '/tail'], ['e', '/edge'], ['t', '/']]) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === path);
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  }
  await settled(page);
  await page.locator('.chart-host').first().focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.locator('.readout').first().waitFor();
  for (let i = 0; i < 12; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await page.waitForURL(/since=20.*until=20/);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.goto(`${stage.url}/cases?since=7d`);
  await settled(page);
  await page.locator('.case-row').nth(1).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const second = await page.locator('.case-row').nth(1).getAttribute('href');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), second);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${second}`);
  await tab.check(assert);
  await tab.close();
});

test('every stop of the tab key is seen', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  for (const path of [`/ray/${ray}`, '/']) {
    await tab.go(path);
    const hidden = [];
    const seen = new Set();
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        const node = document.activeElement;
        if (node === document.body) return null;
        const box = node.getBoundingClientRect();
        const style = getComputedStyle(node);
        const reach = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
        let cut = '';
        for (let above = node.parentElement; above; above = above.parentElement) {
          if (getComputedStyle(above).overflowX === 'visible') continue;
          const edge = above.getBoundingClientRect();
          if (above !== document.documentElement && (box.left - reach < edge.left || box.right + reach > edge.right || box.top - reach < edge.top || box.bottom + reach > edge.bottom)) cut = above.className;
        }
        return { name: node.getAttribute('aria-label') ?? node.textContent.slice(0, 30), cut, visible: box.width > 0 && box.bottom > 0 && box.top < innerHeight, ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
      });
      if (!stop) break;
      seen.add(stop.name);
      if (!stop.visible || !stop.ring || stop.cut) hidden.push(stop);
    }
    assert.deepEqual(hidden, [], path);
    assert.ok(seen.size > 12, [...seen].join());
  }
  await tab.close();
});

test('filters live in the address', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await tab.go('/cases?since=7d');
  await page.getByLabel('Status').fill('520');
  await page.getByLabel('Status').press('Enter');
  await page.waitForURL(/status=520/);
  await settled(page);
  await page.locator('.case-row').first().waitFor();
  assert.ok((await page.locator('.cr-status').allInnerTexts()).every((text) => text.startsWith('520')));
  await page.getByRole('link', { name: /Status.*520/ }).click();
  await page.waitForURL((url) => !url.search.includes('status'));
  const older = page.getByRole('button', { name: 'Older cases' });
  await settled(page);
  if (await older.count()) {
    const before = await page.locator('.case-row').count();
    await older.click();
    await page.waitForFunction((n) => document.querySelectorAll('.case-row').length > n, before);
    const rays = await page.locator('.case-row').evaluateAll((rows) => rows.map((row) => row.getAttribute('href')));
    assert.equal(new Set(rays).size, rays.length);
  }
  await tab.go('/?show=all&since=24h');
  assert.equal(await page.getByRole('button', { name: 'All', exact: true }).getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'Status', exact: true }).click();
  await page.waitForURL(/by=status/);
  await page.getByRole('button', { name: 'Cause', exact: true }).click();
  await page.waitForURL((url) => !url.search.includes('by='));
  await tab.close();
});

test('the HTTP/2 switch is sent and shown', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  const sent = [];
  const of = { url: 'https://10.0.0.20:8443', http2: true, http2_configured: true, http2_switch: 'configured', pools: [], requests: 1, failures: 0, p50_ms: 1, p95_ms: 2, connections: null, idle_timeout_ms: 5004 };
  await page.route((url) => url.pathname === '/api/origins', (route) => route.fulfill({ json: { origins: [of] } }));
  await page.route((url) => url.pathname === '/api/origins/http2', (route) => {
    sent.push([route.request().method(), route.request().headers()['content-type'], route.request().postDataJSON()]);
    return route.fulfill({ json: { origins: [{ ...of, http2: false, http2_switch: 'off' }] } });
  });
  await tab.go('/origins');
  await page.getByText('5 s', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Off' }).click();
  await page.getByText('Not offered now').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Off' }).getAttribute('aria-pressed'), 'true');
  assert.deepEqual(sent, [['PUT', 'application/json', { origin: of.url, http2: 'off' }]]);
  await tab.close();
});

test('draining is asked for twice and then told on every page', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  const switches = { draining: false, profile: 'guide', profiles: ['guide', 'cloudflare-2026'] };
  await page.route((url) => url.pathname === '/api/switches', (route) => {
    if (route.request().method() === 'PUT') Object.assign(switches, route.request().postDataJSON());
    return route.fulfill({ json: switches });
  });
  await tab.go('/edge');
  await page.getByRole('button', { name: 'Drain this edge' }).click();
  assert.equal(switches.draining, false);
  await page.getByRole('button', { name: 'Drain', exact: true }).click();
  await page.getByRole('button', { name: 'Stop draining' }).waitFor();
  assert.equal(switches.draining, true);
  await page.getByRole('button', { name: 'cloudflare-2026' }).click();
  await page.waitForFunction(() => document.querySelector('[aria-pressed=true]')?.textContent === 'cloudflare-2026');
  await tab.close();
});

test('the tail shows records as they come and stands still while it is looked at', async () => {
  const tab = await open(browser, stage.url);
  const { page } = tab;
  await page.addInitScript(() => {
    window.EventSource = class extends EventTarget {
      constructor(url) {
        super();
        window.source = this;
        this.url = url;
        setTimeout(() => this.onopen?.());
      }

      close() {}
    };
    window.feed = (name, data) => window.source.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  });
  await tab.go('/tail?only=all');
  const row = (n) => ({ ray_id: `00000000000000${String(n).padStart(2, '0')}`, time: new Date().toISOString(), duration_ms: n, edge_status: 200, origin_status: 200, cause: 'none', phase: 'none', actor: 'none', summary: '', method: 'GET', host: 'a.example', uri: `/${n}`, origin: null, attempts: 1, aborted: false });
  await page.evaluate((one) => window.feed('record', one), row(1));
  await page.getByText('a.example/1').waitFor();
  await page.locator('.tail-row').first().hover();
  await page.evaluate((one) => window.feed('record', one), row(2));
  await page.getByText('Held while you look, 1 waiting').waitFor();
  assert.equal(await page.locator('.tail-row').count(), 1);
  await page.mouse.move(5, 5);
  await page.getByText('a.example/2').waitFor();
  assert.match(await page.locator('.tail-row').first().innerText(), /\/2/);
  await page.evaluate(() => window.feed('lost', { count: 12 }));
  await page.getByText('12 were left out').waitFor();
  await page.getByPlaceholder('Show only rows with').fill('example/1');
  await page.waitForFunction(() => document.querySelectorAll('.tail-row').length === 1);
  await page.getByPlaceholder('Show only rows with').fill('');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.evaluate((one) => { for (let i = 0; i < 250; i += 1) window.feed('record', one); }, row(3));
  await page.getByText('Paused, 250 waiting').waitFor();
  await page.getByText('252 requests so far.').waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.tail-row').length === 200);
  await page.getByText('252 requests so far.').waitFor();
  await page.getByRole('button', { name: 'Cases' }).click();
  await page.getByText('0 cases so far.').waitFor();
  assert.equal(await page.getByText('were left out').count(), 0);
  await page.evaluate((one) => window.feed('record', { ...one, cause: 'resp.empty_fin', actor: 'origin' }), row(4));
  await page.getByText('1 case so far.').waitFor();
  await tab.close();
});

test('switching between UTC and local time keeps the tail, the focus and the announcement', async () => {
  const tab = await open(browser, stage.url, { timezoneId: 'Asia/Tokyo' });
  const { page } = tab;
  const row = { ray_id: '0000000000000001', time: '2026-11-28T01:02:03.000Z', duration_ms: 1, edge_status: 520, origin_status: 0, cause: 'resp.empty_fin', phase: 'resp', actor: 'origin', summary: '', method: 'GET', host: 'a.example', uri: '/1', origin: null, attempts: 1, aborted: false };
  let streams = 0;
  await page.route('**/api/tail*', (route) => {
    streams += 1;
    return streams > 1 ? undefined : route.fulfill({ contentType: 'text/event-stream', body: `retry: 600000\nevent: record\ndata: ${JSON.stringify(row)}\n\n` });
  });
  await tab.go('/tail');
  await page.locator('.tail-time').getByText('2026-11-28 01:02:03.000').waitFor();
  const zone = page.getByRole('button', { name: /Times are in/ });
  await zone.click();
  await page.locator('.tail-time').getByText('2026-11-28 10:02:03.000').waitFor();
  await page.getByText('Times are now in local time').waitFor();
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /Times are in local time/);
  assert.equal(streams, 1);
  await tab.go('/cases?since=7d');
  const local = await page.locator('.case-row time').first().innerText();
  await zone.click();
  await page.waitForFunction((old) => document.querySelector('time').innerText !== old, local);
  await tab.close();
});
