// Owns the colours of series: six that colour-blind people tell apart, then the same six hatched.

const LIGHT = ['#c2410c', '#1d63b8', '#a67c00', '#0d8a72', '#8a4fc7', '#b8437f'];
const DARK = ['#ff8b5e', '#5fa8ff', '#f0c14b', '#45cfae', '#bf98f5', '#f48fbf'];

export interface Paint {
  colour: string;
  hatched: boolean;
  /// Of the legend's swatch.
  className: string;
}

export function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen) return chosen === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

/// The same key has the same colour as long as its rank is the same.
export function paintOf(rank: number, key: string): Paint {
  const dark = isDark();
  if (key === 'none') return { colour: dark ? '#3d5a50' : '#b9d6c8', hatched: false, className: 'sw-none' };
  if (key === '(other)') return { colour: dark ? '#6b7686' : '#8b95a3', hatched: false, className: 'sw-other' };
  const slot = rank % LIGHT.length;
  const hatched = rank >= LIGHT.length;
  return { colour: (dark ? DARK : LIGHT)[slot] as string, hatched, className: `sw-${slot}${hatched ? ' sw-hatched' : ''}` };
}

/// A colour of the style sheet as canvas understands it.
export function cssColour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
