// A newer ClickHouse behind the HTTP interface, as far as a ledger asks for it: chDB, which is the
// same engine as a library, one statement after the other. No users, no TLS, no cluster.
// usage: node server.mjs DIRECTORY PORT
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { Session } from 'chdb';

const [directory, port] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const session = new Session(`${directory}/data`);
const handled_here = ['query', 'query_id', 'wait_end_of_query', 'database', 'distributed_ddl_task_timeout'];
let last = Promise.resolve();
let inserts = 0;

/** What the statement gives, as bytes. */
async function ask(parameters, body) {
  const settings = [...parameters].filter(([name]) => !handled_here.includes(name));
  const rows = `${directory}/rows${inserts++}`;
  let sql = parameters.get('query') ?? '';
  const insert = /^(\s*INSERT\s.*)\sFORMAT RowBinary\s*$/is.exec(sql);
  if (insert) {
    writeFileSync(rows, body);
    sql = `${insert[1]} FROM INFILE '${rows}' FORMAT RowBinary`;
  } else {
    sql += body.toString();
  }
  const shown = /^\s*INSERT/i.test(sql) ? null : /^(.*)\sFORMAT\s+(\w+)\s*$/is.exec(sql);
  try {
    await session.queryAsync(`USE ${parameters.get('database') ?? 'default'}`);
    for (const [name, value] of settings) await session.queryAsync(`SET ${name} = '${value}'`);
    const result = await session.queryAsync(shown?.[1] ?? sql, { format: shown?.[2] ?? 'TabSeparated' });
    return Buffer.from(result.bytes());
  } finally {
    for (const [name] of settings) await session.queryAsync(`SET ${name} = DEFAULT`);
    rmSync(rows, { force: true });
  }
}

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/ping') return response.end('Ok.\n');
    const body = Buffer.concat(chunks);
    last = last.then(async () => {
      try {
        const given = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        response.end(await ask(new URL(request.url, 'http://localhost').searchParams, given));
      } catch (error) {
        response.writeHead(500).end(`${error.message}\n`);
      }
    });
  });
}).listen(Number(port), '127.0.0.1');
