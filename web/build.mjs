// Writes dist/: index.html, app.js, app.css, icon.svg. Names carry no hash: the binary embeds them.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const here = new URL('./', import.meta.url);
const path = (name) => new URL(name, here).pathname;

rmSync(path('dist'), { recursive: true, force: true });
mkdirSync(path('dist'), { recursive: true });
for (const name of ['index.html', 'icon.svg']) copyFileSync(path(`src/${name}`), path(`dist/${name}`));
await build({
  entryPoints: { app: path('src/main.tsx') },
  outdir: path('dist'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
});
