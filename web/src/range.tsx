// Owns the time range: how it stands in the address, how it is chosen, how it is said.
import { navigate, withQuery } from './router';
import { clock, day } from './format';

export const RANGES = [
  { value: '15m', label: '15m', words: '15 minutes' },
  { value: '1h', label: '1h', words: 'hour' },
  { value: '6h', label: '6h', words: '6 hours' },
  { value: '24h', label: '24h', words: '24 hours' },
  { value: '7d', label: '7d', words: '7 days' },
] as const;

export interface Range {
  since: string;
  until: string | null;
  /// "hour", "24 hours", "12 minutes"
  words: string;
  /// "the last hour"; "those 12 minutes" of a zoom
  phrase: string;
  /// In milliseconds, as of now.
  from: number;
  to: number;
  relative: boolean;
}

const UNITS: Record<string, [number, string]> = { s: [1, 'second'], m: [60, 'minute'], h: [3600, 'hour'], d: [86_400, 'day'] };

export function wordsOf(seconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const [length, name] = UNITS[unit] as [number, string];
    if (seconds >= length && (seconds % length === 0 || seconds > 10 * length)) {
      const n = Math.round(seconds / length);
      return n === 1 ? name : `${n} ${name}s`;
    }
  }
  return `${Math.round(seconds)} seconds`;
}

/// Of a duration as "15m"; NaN of anything else.
function secondsOf(text: string): number {
  const [, n, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return n && unit ? Number(n) * (UNITS[unit] as [number, string])[0] : NaN;
}

/// A time, or a duration back from now; NaN if it is neither.
function timeOf(text: string, now: number): number {
  const back = secondsOf(text);
  return Number.isNaN(back) ? Date.parse(text) : now - back * 1000;
}

function lastOf(since: string, now: number): Range {
  const words = wordsOf(secondsOf(since));
  return { since, until: null, words, phrase: `the last ${words}`, from: timeOf(since, now), to: now, relative: true };
}

export function rangeOf(query: URLSearchParams, fallback = '1h', now = Date.now()): Range {
  const since = query.get('since') ?? fallback;
  const until = query.get('until');
  if (!until && !Number.isNaN(secondsOf(since))) return lastOf(since, now);
  const from = timeOf(since, now);
  const to = until ? timeOf(until, now) : now;
  if (Number.isNaN(from) || Number.isNaN(to)) return lastOf(fallback, now);
  const words = wordsOf(Math.max(1, Math.round((to - from) / 1000)));
  return { since, until, words, phrase: `${/^\d/.test(words) ? 'those' : 'that'} ${words}`, from, to, relative: false };
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

export function zoomTo(since: number, until: number): void {
  navigate(withQuery({ since: iso(since), until: iso(until) }));
}

export function RangePicker({ range, fallback = '1h' }: { range: Range; fallback?: string }) {
  const from = new Date(range.from);
  const to = new Date(range.to);
  const sameDay = day(from) === day(to);
  return (
    <div class="range">
      {range.relative ? null : (
        <a class="chip chip-on" href={withQuery({ since: null, until: null })} title="Back to the usual range">
          <span class="num">{day(from) === day(new Date()) ? '' : `${day(from)} `}{clock(from)} – {sameDay ? '' : `${day(to)} `}{clock(to)}</span>
          <span class="chip-x" aria-hidden="true">×</span><span class="offscreen">, leave this zoom</span>
        </a>
      )}
      <div class="segmented" role="group" aria-label="Time range">
        {RANGES.map((one) => (
          <a key={one.value} href={withQuery({ since: one.value === fallback ? null : one.value, until: null })} aria-current={range.relative && range.since === one.value ? 'true' : undefined} title={`The last ${one.words}`}>{one.label}</a>
        ))}
      </div>
    </div>
  );
}

const NAMES: Record<string, string> = { host: 'Host', origin: 'Origin', status: 'Status', cause: 'Cause', path: 'Path', node: 'Edge' };

/// The filters that are on, each with its way out.
export function FilterChips({ query, keys }: { query: URLSearchParams; keys: string[] }) {
  const on = keys.filter((key) => query.get(key));
  if (on.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters">
      {on.map((key) => (
        <li key={key}>
          <a class="chip chip-on" href={withQuery({ [key]: null })} title="Remove this filter">
            <span class="chip-key">{NAMES[key]}</span><bdi class="chip-value">{query.get(key)}</bdi>
            <span class="chip-x" aria-hidden="true">×</span><span class="offscreen">, remove this filter</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
