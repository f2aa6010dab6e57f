// Every page, at three widths, in both themes: no violation of axe, nothing wider than the screen, no request
// elsewhere, no breach of the CSP, and no layout that jumps.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, hold, open, pickRay, release, settled } from './stage.mjs';

const WIDTHS = [390, 820, 1440];
// Axe takes a second a run: each width and each theme is seen, all six pairs with EDGECASE_WEB_ALL=1.
const VARIANTS = ['traffic by status', 'case with a certificate', 'no such page', 'search'];
const seenByAxe = (theme, width, nth, name) => process.env.EDGECASE_WEB_ALL === '1' || (VARIANTS.includes(name) ? theme === 'dark' && width === 390 : theme === ['dark', nth % 2 ? 'dark' : 'light', 'light'][WIDTHS.indexOf(width)]);
let stage, browser, rays;
before(async () => {
  [stage, browser] = await hold();
  rays = await Promise.all(['resp.bad_header_name.space', 'h2.compression_error', 'tls.cert.expired'].map((cause) => pickRay(stage.url, cause)));
});
after(release);

const PAGES = {
  traffic: () => '/', 'traffic by status': () => '/?since=24h&by=status', case: () => `/ray/${rays[0]}`, 'case with frames': () => `/ray/${rays[1]}`, 'case with a certificate': () => `/ray/${rays[2]}`,
  cases: () => '/cases', findings: () => '/findings', origins: () => '/origins', tail: () => '/tail?only=all', edge: () => '/edge', search: () => '/ray', 'no such page': () => '/nowhere', 'no such ray': () => '/ray/0000000000000000',
};

for (const [nth, [name, path]] of Object.entries(PAGES).entries()) {
  test(`${name} is right at three widths in both themes`, async () => {
    const tab = await open(browser, stage.url);
    const { page } = tab;
    await tab.go(path());
    if (name === 'tail') {
      // A real edge may have no traffic now.
      await page.locator('.tail-row').first().waitFor({ timeout: stage.real ? 2_000 : 15_000 }).catch((late) => { if (!stage.real) throw late; });
      await page.getByRole('button', { name: 'Pause' }).click();
    }
    const found = [];
    for (const theme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const where = `${name} ${width} ${theme}`;
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (over > 0) found.push(`${where}: ${over} px wider than the screen`);
        if (seenByAxe(theme, width, nth, name)) found.push(...(await axe(page, where, { contrast: width !== 820 || process.env.EDGECASE_WEB_ALL === '1' })));
      }
    }
    assert.deepEqual(found, []);
    await tab.check(assert);
    await tab.close();
  });
}

test('no page shifts while it loads slowly', async () => {
  for (const [width, options] of [[390, { hasTouch: true, isMobile: true }], [1440, {}]]) {
    const tab = await open(browser, stage.url, { viewport: { width, height: 844 }, ...options });
    // One answer after the other, so that each arrival is seen.
    let turn = 0;
    await tab.page.route('**/api/**', async (route) => {
      if (route.request().url().includes('/api/tail')) return route.continue();
      turn += 1;
      await new Promise((resolve) => setTimeout(resolve, 60 + 70 * (turn % 3)));
      return route.continue();
    });
    for (const path of ['/', '/cases', `/ray/${rays[1]}`, '/findings', '/origins', '/tail?only=all', '/edge']) {
      await tab.go(path);
      await tab.page.waitForTimeout(path.startsWith('/tail') ? 900 : 150);
      const [shift, what] = await tab.page.evaluate(() => [window.shift, window.shifts]);
      assert.ok(shift < 0.02, `${path} at ${width}: ${shift} ${what.join('; ')}`);
    }
    await tab.close();
  }
});

test('the theme follows the system until it is chosen, and the choice stays', async () => {
  const tab = await open(browser, stage.url, { colorScheme: 'dark' });
  await tab.go('/findings');
  const ground = () => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await tab.page.getByRole('button', { name: 'Light theme' }).click();
  const light = await ground();
  assert.notEqual(light, dark);
  await tab.page.reload();
  await settled(tab.page);
  assert.equal(await ground(), light);
  await tab.close();
});
