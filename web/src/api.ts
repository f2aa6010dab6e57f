// Owns the conversation with the admin listener: its shapes, and how an answer is waited for.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export type Actor = 'none' | 'client' | 'edge' | 'network' | 'origin';

export interface Status {
  version: string;
  requires_token: boolean;
  colo?: string;
  started?: string;
  now?: string;
  profile?: string;
  draining?: boolean;
  records?: { written: number; cases: number; dropped: number; recorded: 'all' | 'failures' | 'off'; store: string; retention_hours: number };
}

export interface Totals {
  requests: number;
  failures: number;
  edge_errors: number;
  origin_errors: number;
  client_gone: number;
  bytes_in: number;
  bytes_out: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
}

export interface TopRow {
  key: string;
  requests: number;
  failures: number;
  p95_ms: number | null;
}

export interface Traffic {
  since: string;
  until: string;
  step_s: number;
  by: string;
  times: number[];
  series: { key: string; requests: number[] }[];
  latency: Record<'p50_ms' | 'p95_ms' | 'p99_ms' | 'max_ms', (number | null)[]>;
  totals: Totals;
  before: Totals | null;
  top: {
    hosts: TopRow[];
    paths: TopRow[];
    origins: TopRow[];
    causes: { key: string; requests: number; actor: Actor; summary: string }[];
    statuses: { key: string; requests: number }[];
  };
}

export interface CaseRow {
  ray_id: string;
  time: string;
  duration_ms: number;
  edge_status: number;
  origin_status: number;
  cause: string;
  phase: string;
  actor: Actor;
  summary: string;
  method: string;
  host: string;
  uri: string;
  origin: string | null;
  attempts: number;
  aborted: boolean;
}

export interface Cases {
  cases: CaseRow[];
  next: string | null;
}

export interface Sample {
  offset: number;
  first_offset: number;
  text: string;
  caret: number;
  field?: string;
}

export type Fact = string | number | boolean | null | string[] | Sample;
export type Evidence = Record<string, Fact>;

export interface Attempt {
  n: number;
  cause: string;
  phase: string;
  actor: Actor;
  summary: string;
  origin: string | null;
  source: string | null;
  connection: { id: number; reused: boolean; idle_ms: number | null; nth_request: number; close: string };
  protocol: string;
  stream_id: number | null;
  downgraded: boolean;
  outrun: boolean;
  dns_stale: string | null;
  tls_version: string | null;
  tls_resumed: boolean;
  dns_ms: number | null;
  connect_ms: number | null;
  tls_ms: number | null;
  send_ms: number | null;
  first_byte_ms: number | null;
  header_ms: number | null;
  total_ms: number | null;
  sent_bytes: number;
  received_bytes: number;
  header_bytes: number;
  status: number;
  retried: boolean;
  evidence: Evidence;
}

export interface Case {
  ray_id: string;
  parent_ray_id: string | null;
  time: string;
  duration_ms: number;
  first_byte_ms: number | null;
  edge_status: number;
  origin_status: number;
  cause: string;
  phase: string;
  actor: Actor;
  summary: string;
  fix: string;
  aborted: boolean;
  header_warning: boolean;
  colo: string;
  client: string;
  edge: string;
  origin: string | null;
  request: {
    method: string;
    scheme: string;
    host: string;
    uri: string;
    protocol: string;
    tls_version: string | null;
    tls_cipher: string | null;
    sni: string | null;
    user_agent: string | null;
    referer: string | null;
    total_bytes: number;
    body_bytes: number;
  };
  response: { content_type: string | null; header_bytes: number; total_bytes: number; body_bytes: number };
  evidence: Evidence;
  attempts: Attempt[];
  explain?: { title: string; summary: string; fix: string; status: number };
  /// What the origin's logs said, if they were traced.
  trace?: { outcome?: string; confidence?: number; origin_line?: string | null; nearby?: string[] };
}

export interface Finding {
  cause: string;
  actor: Actor;
  factor: string;
  value: string;
  sentence: string;
  inside_rate: number;
  inside_rate_low: number;
  inside_rate_high: number;
  outside_rate: number;
  failed: number;
  requests: number;
  unit: 'requests' | 'attempts';
  hidden_by_retry: boolean;
  /// False: no success is on record, so the rates mean nothing.
  compared: boolean;
  confidence: number;
  since: string;
  last: string;
  sample_rays: string[];
  fix: string;
}

export interface Findings {
  computed: string;
  since: string;
  until: string;
  records: number;
  failures: number;
  sampled: boolean;
  findings: Finding[];
}

export type Http2Switch = 'on' | 'off' | 'configured';

export interface Origin {
  url: string;
  http2: boolean;
  http2_configured: boolean;
  http2_switch: Http2Switch;
  pools: { name: string; healthy: boolean; last_error: string | null }[];
  /// Null if the records cannot be read.
  requests: number | null;
  failures: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  connections?: { idle: number; active: number } | null;
  idle_timeout_ms?: number | null;
}

export interface Switches {
  draining: boolean;
  profile: string;
  profiles: string[];
}

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/// An edge that writes into the same ledger, and what it last said of itself.
export interface LedgerNode {
  node: string;
  colo: string;
  version: string;
  node_id: number;
  started: string;
  seen: string;
  silent: boolean;
  recorded: number;
  shipped: number;
  waiting: number;
  lost: number;
}

export interface LedgerNodes {
  nodes: LedgerNode[];
}

const FROM_RECORDS = /^\/api\/(traffic|cases|rays|findings|nodes|origins)\b/;
const pathname = (path: string) => path.replace(/\?.*/, '');
/// What is on the page: how often each path is, and which parts of the ledger its last answer lacked.
const onPage = new Map<string, { uses: number; lacks: string }>();
let onMissing: (parts: string) => void = () => {};

function tellMissing(): void {
  const parts = [...onPage.values()].flatMap(({ lacks }) => lacks.split(', ')).filter(Boolean);
  onMissing([...new Set(parts)].join(', '));
}

/// Told which parts of the ledger the answers on the page lack; empty when they are whole.
export function whenMissing(tell: (parts: string) => void): void {
  onMissing = tell;
}

/// Counts the answers of a path as on the page; gives what takes them off it.
export function show(path: string): () => void {
  const name = pathname(path);
  const entry = onPage.get(name) ?? { uses: 0, lacks: '' };
  entry.uses += 1;
  onPage.set(name, entry);
  return () => {
    entry.uses -= 1;
    if (entry.uses > 0) return;
    onPage.delete(name);
    tellMissing();
  };
}

function noteMissing(path: string, response: Response): void {
  const entry = onPage.get(pathname(path));
  // What cannot be read at all brings nothing: what stays on the page is of before.
  if (!entry || !FROM_RECORDS.test(path) || response.status >= 500) return;
  const lacks = response.headers.get('Edgecase-Missing') ?? '';
  // A further page of a list stands below the first.
  entry.lacks = /[?&]before=/.test(path) ? `${entry.lacks}, ${lacks}` : lacks;
  tellMissing();
}

/// Called once the listener says that it wants a token.
let onUnauthorized = () => {};
export function whenUnauthorized(tell: () => void): void {
  onUnauthorized = tell;
}

export async function call<T>(path: string, options: { method?: string; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
  const init: RequestInit = { method: options.method ?? 'GET', headers: { Accept: 'application/json' }, credentials: 'same-origin' };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(0, 'The edge does not answer. Is it running, and is its admin listener reachable from here?');
  }
  if (response.status === 204) return undefined as T;
  noteMissing(path, response);
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    throw new ApiError(response.status, `The edge answered ${response.status} and something that is no JSON.`);
  }
  if (!response.ok) {
    if (response.status === 401 && path !== '/api/login') onUnauthorized();
    const said = (body as { error?: unknown } | null)?.error;
    throw new ApiError(response.status, typeof said === 'string' ? said : `The edge answered ${response.status}.`);
  }
  return body as T;
}

export interface Loaded<T> {
  data: T | null;
  error: ApiError | null;
  /// A request is under way; data, if any, is of before.
  busy: boolean;
  reload: () => void;
}

export interface Held<T> {
  path: string | null;
  /// The path whose answer `data` is.
  of: string | null;
  data: T | null;
  error: ApiError | null;
  busy: boolean;
}

/// Until the answer comes, what was known of this path is shown, or else what is there.
export function asking<T>(old: Held<T>, path: string, known?: T): Held<T> {
  if (known !== undefined) return { path, of: path, data: known, error: null, busy: true };
  return { ...old, path, error: old.path === path ? old.error : null, busy: true };
}

/// An error takes the data of another path away; of the same path it makes them old.
export function failed<T>(old: Held<T>, path: string, error: ApiError): Held<T> {
  return { path, of: path, data: old.of === path ? old.data : null, error, busy: false };
}

const remembered = new Map<string, unknown>();

/// The answer to a GET; asked again when the path changes, and every `every` ms while the page is seen.
export function useApi<T>(path: string | null, every = 0): Loaded<T> {
  const [state, setState] = useState<Held<T>>(() => ({
    path,
    of: path,
    data: path ? ((remembered.get(path) as T | undefined) ?? null) : null,
    error: null,
    busy: path !== null,
  }));
  const [turn, setTurn] = useState(0);
  const last = useRef<string | null>(null);
  const name = path === null ? null : pathname(path);

  useEffect(() => (name === null ? undefined : show(name)), [name]);

  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    const known = last.current === path ? undefined : (remembered.get(path) as T | undefined);
    last.current = path;
    setState((old) => asking(old, path, known));
    call<T>(path, { signal: stop.signal }).then(
      (data) => {
        if (stop.signal.aborted) return;
        remembered.set(path, data);
        if (remembered.size > 40) remembered.delete(remembered.keys().next().value as string);
        setState({ path, of: path, data, error: null, busy: false });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, String(error));
        setState((old) => failed(old, path, told));
      },
    );
    return () => stop.abort();
  }, [path, turn]);

  useEffect(() => {
    if (!every || path === null) return;
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1);
    }, every);
    return () => clearInterval(timer);
  }, [every, path]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { data: state.data, error: state.error, busy: state.busy, reload };
}
