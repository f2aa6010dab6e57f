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

const lastOf = (since: string, words: string): Range => ({ since, until: null, words, phrase: `the last ${words}`, relative: true });

export function rangeOf(query: URLSearchParams, fallback = '1h'): Range {
  const since = query.get('since') ?? fallback;
  const until = query.get('until');
  const short = /^(\d+)([smhd])$/.exec(since);
  if (short && !until) {
    return lastOf(since, wordsOf(Number(short[1]) * (UNITS[short[2] as string] as [number, string])[0]));
  }
  const from = Date.parse(since);
  const to = until ? Date.parse(until) : Date.now();
  if (Number.isNaN(from) || Number.isNaN(to)) return lastOf(fallback, 'hour');
  const words = wordsOf(Math.max(1, Math.round((to - from) / 1000)));
  return { since, until, words, phrase: `${/^\d/.test(words) ? 'those' : 'that'} ${words}`, relative: false };
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

export function zoomTo(since: number, until: number): void {
  navigate(withQuery({ since: iso(since), until: iso(until) }));
}

export function RangePicker({ range, fallback = '1h' }: { range: Range; fallback?: string }) {
  const from = new Date(range.since);
  const to = range.until ? new Date(range.until) : new Date();
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

const NAMES: Record<string, string> = { host: 'Host', origin: 'Origin', status: 'Status', cause: 'Cause', path: 'Path' };

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
