// What the tests stand on: a base URL, from EDGECASE_ADMIN_URL or a development server of our own, and a Chromium.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const web = new URL('../../web/', import.meta.url);
const require = createRequire(web);
const { chromium } = require('playwright-core');
const axeText = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions'];

export async function serve(...words) {
  const given = process.env.EDGECASE_ADMIN_URL;
  if (given && words.length === 0) return { url: given.replace(/\/$/, ''), real: true, stop: async () => {} };
  const child = spawn(process.execPath, [new URL('dev_server.mjs', web).pathname, '--port', '0', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the development server ended with ${code}`)));
    child.stdout.on('data', (data) => {
      const match = /ready (\S+)/.exec(String(data));
      if (match) resolve(match[1]);
    });
  });
  return {
    url, real: false,
    stop: () => new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.once('exit', resolve);
      child.kill('SIGTERM');
    }),
  };
}

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

/// The Ray ID of a case of that cause, or of any case if there is none.
export async function pickRay(url, cause) {
  for (const query of [`cause=${cause}&`, '']) {
    const answer = await fetch(`${url}/api/cases?${query}since=7d&limit=1`);
    const found = (await answer.json()).cases?.[0];
    if (found) return found.ray_id;
  }
  throw new Error('there is no case at all');
}

/// A page that remembers what it must not do: ask other origins, break the CSP, throw, shift its layout.
export async function open(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  const origin = new URL(base).origin;
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith('data:') && !url.startsWith('blob:') && new URL(url).origin !== origin) faults.push(`asked ${url}`);
  });
  page.on('pageerror', (error) => faults.push(`threw ${error.message}`));
  await page.addInitScript(() => {
    window.violations = [];
    window.shift = 0;
    window.shifts = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        window.shift += entry.value;
        window.shifts.push(`${entry.value.toFixed(4)} ${entry.sources.map((source) => `${source.node?.nodeName}.${source.node?.className} ${Math.round(source.previousRect.y)}->${Math.round(source.currentRect.y)}`).join(', ')}`);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return {
    page, faults, context,
    async go(path) {
      await page.goto(base + path);
      await settled(page);
    },
    async check(assert) {
      assert.deepEqual(faults, []);
      assert.deepEqual(await page.evaluate(() => window.violations), []);
    },
    close: () => context.close(),
  };
}

/// Until nothing loads any more.
export async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.skeleton, [aria-busy=true]').length === 0, null, { polling: 60 });
}

/// What axe has against the page. Of long lists the first rows stand for all.
export async function axe(page, where, { contrast = true } = {}) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeText);
  const found = await page.evaluate((enabled) => window.axe.run({ include: document, exclude: ['.case-list li:nth-child(n+7)', '.tail-list li:nth-child(n+7)'] }, { preload: false, iframes: false, resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { 'color-contrast': { enabled } } }), contrast);
  return found.violations.map((one) => `${where}: ${one.id} (${one.impact}) ${one.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? ''}`).join(' | ')}`);
}

let holders = 0, held = null;
/// The stage and the browser that the tests of one process share.
export function hold() {
  holders += 1;
  held ??= Promise.all([serve(), launch()]);
  return held;
}
export async function release() {
  holders -= 1;
  if (holders > 0 || !held) return;
  const [stage, browser] = await held;
  held = null;
  await browser.close();
  await stage.stop();
}
