// Serves dist/ and the mock API as the admin listener would; or, with --admin URL, a real edge's API.
//   node dev_server.mjs [--port 8522] [--admin http://127.0.0.1:8521] [--token TOKEN]
import { readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { parseArgs } from 'node:util';
import { Mock } from './mock.mjs';

const { values: options } = parseArgs({ options: { port: { type: 'string', default: '8522' }, admin: { type: 'string' }, token: { type: 'string' } } });
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const HEADERS = { 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store' };
const mock = new Mock({ token: options.token ?? null });
const PLAIN = ['/metrics', '/openapi.json', '/healthz', '/readyz'];

function file(response, name) {
  try {
    const bytes = readFileSync(new URL(`dist/${name}`, import.meta.url));
    response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[name.split('.').at(-1)] ?? 'application/octet-stream' }).end(bytes);
  } catch {
    response.writeHead(404, HEADERS).end();
  }
}
const json = (response, status, body) => response.writeHead(status, { ...HEADERS, 'Content-Type': 'application/json' }).end(status === 204 ? undefined : JSON.stringify(body));

function forward(request, response) {
  const onward = ask(new URL(request.url, options.admin), { method: request.method, headers: { ...request.headers, host: new URL(options.admin).host } }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', (error) => json(response, 503, { error: `the edge at ${options.admin} does not answer: ${error.message}` }));
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

function tail(response, only) {
  response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
  response.write(': hello\n\n');
  let n = 0;
  const send = () => response.write(`event: record\ndata: ${JSON.stringify(mock.record(only, n++))}\n\n`);
  send();
  const timer = setInterval(send, only === 'all' ? 180 : 900);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const api = url.pathname.startsWith('/api/');
  if (options.admin && (api || PLAIN.includes(url.pathname))) return forward(request, response);
  if (!api) {
    if (PLAIN.includes(url.pathname)) return response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/plain' }).end('ok\n');
    return file(response, /\.[a-z]+$/.test(url.pathname) ? url.pathname.slice(1).replaceAll('..', '') : 'index.html');
  }
  const open = !options.token || (request.headers.cookie ?? '').includes('edgecase=yes');
  if (url.pathname === '/api/status') return json(response, 200, mock.status(open));
  let text = '';
  request.on('data', (part) => { text += part; });
  return request.on('end', () => {
    let body = null;
    if (request.method !== 'GET') {
      if (request.headers['content-type'] !== 'application/json') return json(response, 400, { error: 'Content-Type is not application/json' });
      try {
        body = JSON.parse(text);
      } catch {
        return json(response, 400, { error: 'the body is no JSON' });
      }
    }
    if (url.pathname === '/api/login' && options.token) {
      if (body?.token !== options.token) return json(response, 401, { error: 'that is not the token' });
      response.setHeader('Set-Cookie', 'edgecase=yes; HttpOnly; SameSite=Strict; Path=/');
      return json(response, 204);
    }
    if (url.pathname === '/api/logout' && options.token) {
      response.setHeader('Set-Cookie', 'edgecase=; Max-Age=0; Path=/');
      return json(response, 204);
    }
    if (!open) return json(response, 401, { error: 'a token is needed' });
    if (url.pathname === '/api/tail') return tail(response, url.searchParams.get('only') ?? 'cases');
    const answer = mock.answer(request.method, url.pathname, url.searchParams, body);
    return json(response, answer.status, answer.body);
  });
});
server.listen(Number(options.port), '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { server.closeAllConnections(); server.close(() => process.exit(0)); });
