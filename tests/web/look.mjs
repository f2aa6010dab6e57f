// Takes pictures of the pages: node tests/web/look.mjs OUT [page...] [--widths 390,820,1440] [--themes light,dark]
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch, pickRay, serve } from './stage.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { widths: { type: 'string', default: '390,820,1440' }, themes: { type: 'string', default: 'light,dark' }, full: { type: 'boolean', default: false }, height: { type: 'string', default: '0' } } });
const [out, ...only] = positionals;
mkdirSync(out, { recursive: true });
const stage = await serve();
const browser = await launch();
try {
  const ray = (cause) => pickRay(stage.url, cause);
  const pages = {
    traffic: '/', day: '/?since=24h', status: '/?by=status', case: `/ray/${await ray('resp.bad_header_name.space')}`, h2: `/ray/${await ray('h2.compression_error')}`,
    tls: `/ray/${await ray('tls.cert.expired')}`, time: `/ray/${await ray('time.first_byte')}`, cases: '/cases', findings: '/findings', origins: '/origins', tail: '/tail?only=all', edge: '/edge', search: '/ray', missing: '/ray/0000000000000000',
  };
  for (const width of values.widths.split(',').map(Number)) {
    for (const theme of values.themes.split(',')) {
      const context = await browser.newContext({ viewport: { width, height: Number(values.height) || (width < 500 ? 844 : 900) }, colorScheme: theme, deviceScaleFactor: 1, hasTouch: width < 500, isMobile: width < 500 });
      const page = await context.newPage();
      page.on('console', (m) => { if (m.type() === 'error') console.log('console', m.text()); });
      page.on('pageerror', (e) => console.log('error', e.message));
      for (const [name, path] of Object.entries(pages)) {
        if (only.length > 0 && !only.includes(name)) continue;
        await page.goto(stage.url + path);
        await page.waitForSelector('main h1');
        await page.waitForTimeout(name === 'tail' ? 2500 : 700);
        await page.screenshot({ path: `${out}/${name}-${width}-${theme}.png`, fullPage: values.full });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await stage.stop();
}
