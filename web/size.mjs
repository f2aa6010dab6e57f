// The whole dashboard, gzipped, stays below 150 kB.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 150_000;
const folder = new URL('./dist/', import.meta.url);
let sum = 0;
for (const name of readdirSync(folder).sort()) {
  const bytes = readFileSync(new URL(name, folder));
  const packed = gzipSync(bytes, { level: 9 }).length;
  sum += packed;
  console.log(`${name.padEnd(12)} ${String(bytes.length).padStart(7)} ${String(packed).padStart(7)} gzipped`);
}
console.log(`${'sum'.padEnd(20)} ${String(sum).padStart(7)} of ${LIMIT}`);
if (sum >= LIMIT) process.exit(1);
