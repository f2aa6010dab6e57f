// Owns how figures read: counts, shares, durations, bytes, moments.

export function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

export function compact(n: number): string {
  if (n < 10_000) return count(n);
  if (n < 1e6) return `${trim(n / 1e3, n < 1e5 ? 1 : 0)}k`;
  if (n < 1e9) return `${trim(n / 1e6, n < 1e8 ? 1 : 0)}M`;
  return `${trim(n / 1e9, 1)}G`;
}

function trim(n: number, digits: number): string {
  const text = n.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/// 0..1 as per cent, never rounded to a lie: neither 0 nor 100 unless it is.
export function percent(share: number): string {
  if (!Number.isFinite(share) || share <= 0) return '0 %';
  const p = share * 100;
  if (p >= 100) return '100 %';
  if (p > 99.95) return '> 99.9 %';
  if (p >= 99) return `${p.toFixed(1)} %`;
  if (p >= 10) return `${p.toFixed(0)} %`;
  if (p >= 0.1) return `${trim(p, 1)} %`;
  if (p >= 0.01) return `${trim(p, 2)} %`;
  return '< 0.01 %';
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 10) return `${trim(ms, 2)} ms`;
  if (ms < 100) return `${trim(ms, 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim(ms / 1000, ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return both(Math.round(ms / 1000), 60, 'min', 's');
  if (ms < 86_400_000) return both(Math.round(ms / 60_000), 60, 'h', 'min');
  return both(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function both(n: number, of: number, large: string, small: string): string {
  return `${Math.floor(n / of)} ${large}${n % of ? ` ${n % of} ${small}` : ''}`;
}

export function bytes(n: number): string {
  if (n < 10_000) return `${count(n)} B`;
  if (n < 1e6) return `${trim(n / 1e3, 1)} kB`;
  if (n < 1e9) return `${trim(n / 1e6, 1)} MB`;
  return `${trim(n / 1e9, 1)} GB`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${count(n)}${suffix}`;
}

// Logs are in UTC more often than not, so that is what we start with.
let utc = true;
try {
  utc = localStorage.getItem('zone') !== 'local';
} catch {
  // Storage may be forbidden.
}

export function isUtc(): boolean {
  return utc;
}

export function setUtc(value: boolean): void {
  utc = value;
  try {
    localStorage.setItem('zone', value ? 'utc' : 'local');
  } catch {
    // As above.
  }
}

export function zoneName(): string {
  return utc ? 'UTC' : 'local time';
}

const two = (n: number) => String(n).padStart(2, '0');

function parts(date: Date): [number, number, number, number, number, number, number] {
  return utc
    ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(),
       date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds(),
       date.getMilliseconds()];
}

export function day(date: Date): string {
  const [y, m, d] = parts(date);
  return `${y}-${two(m)}-${two(d)}`;
}

export function clock(date: Date, seconds = true): string {
  const [, , , h, min, s] = parts(date);
  return `${two(h)}:${two(min)}${seconds ? `:${two(s)}` : ''}`;
}

/// With milliseconds, and the day unless it is today.
export function moment(text: string, milliseconds = true): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const ms = milliseconds ? `.${String(parts(date)[6]).padStart(3, '0')}` : '';
  return (day(date) === day(new Date()) ? '' : `${day(date)} `) + clock(date) + ms;
}

export function fullMoment(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return `${day(date)} ${clock(date)}.${String(parts(date)[6]).padStart(3, '0')} ${utc ? 'UTC' : ''}`.trim();
}

export function ago(text: string): string {
  const ms = Date.now() - new Date(text).getTime();
  if (!Number.isFinite(ms)) return '';
  if (ms < 5_000) return 'just now';
  if (ms < 60_000) return `${Math.round(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min ago`;
  if (ms < 2 * 86_400_000) return `${Math.round(ms / 3_600_000)} h ago`;
  return `${Math.round(ms / 86_400_000)} days ago`;
}

/// The Ray IDs in any text: an error page, a log line, a header, a URL. Each once, in order.
export function rayIds(text: string): string[] {
  const found = text.match(/(?<![0-9a-z])[0-9a-f]{16}(?=-[A-Z0-9]{2,8}\b|(?![0-9a-z]))/gi) ?? [];
  return [...new Set(found.map((id) => id.toLowerCase()))];
}
