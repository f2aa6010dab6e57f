// Owns the time series: stacked columns and lines over uPlot, with a brush, a readout and keys.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock, day, isUtc } from './format';
import { cssColour } from './palette';

export interface ChartSeries {
  key: string;
  label: string;
  colour: string;
  className: string;
  hatched?: boolean;
  dash?: number[];
  width?: number;
  values: (number | null)[];
}

interface Props {
  times: number[];
  step: number;
  series: ChartSeries[];
  kind: 'stack' | 'lines';
  format: (value: number) => string;
  axis: (value: number) => string;
  label: string;
  height: number;
  sync?: string;
  onZoom: (since: number, until: number) => void;
  onPick?: (since: number, until: number, key: string | null) => void;
  theme: string;
}

function hatch(colour: string, ground: string): CanvasPattern | string {
  const size = Math.round(6 * devicePixelRatio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return colour;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour;
  pen.lineWidth = size / 2.2;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - size / 2, size * 1.5);
    pen.lineTo(shift + size * 1.5, -size / 2);
    pen.stroke();
  }
  return pen.createPattern(tile, 'repeat') ?? colour;
}

/// Whether a label at that time would run over the right edge.
function isCut(u: uPlot, time: number): boolean {
  const { min = 0, max = 0 } = u.scales['x'] as { min?: number; max?: number };
  return ((max - time) / (max - min)) * (u.width - 54) < 16;
}

/// A value between two gaps makes no line; it is drawn as a point.
function lonely(u: uPlot, at: number): number[] {
  const values = u.data[at] ?? [];
  const result: number[] = [];
  for (let i = 0; i < values.length; i += 1) if (values[i] != null && values[i - 1] == null && values[i + 1] == null) result.push(i);
  return result;
}

function stepLabel(times: number[], step: number, index: number): string {
  const from = new Date((times[index] ?? 0) * 1000);
  const to = new Date(((times[index] ?? 0) + step) * 1000);
  const seconds = step < 60;
  const today = day(from) === day(new Date());
  return `${today ? '' : `${day(from)} `}${clock(from, seconds)}–${clock(to, seconds)}`;
}

export function Chart(props: Props) {
  const { times, step, series, kind, height, label } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [at, setAt] = useState<{ index: number; left: number; key: string | null } | null>(null);
  const [range, setRange] = useState<[number, number] | null>(null);
  const shape = `${kind} ${series.map((s) => s.key + s.colour).join()} ${props.theme} ${height} ${isUtc()} ${step}`;

  // Sums from below: what is drawn first is the tallest, and the next covers its lower part.
  const data = (): uPlot.AlignedData => {
    const { times: xs, series: all, kind: how } = latest.current;
    if (how === 'lines') return [xs, ...all.map((s) => s.values)] as uPlot.AlignedData;
    const sums: number[][] = [];
    let below = xs.map(() => 0);
    for (const one of all) {
      below = below.map((sum, i) => sum + (one.values[i] ?? 0));
      sums.push(below);
    }
    return [xs, ...sums.reverse()] as uPlot.AlignedData;
  };

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const soft = cssColour('--soft');
    const line = cssColour('--grid');
    const card = cssColour('--card');
    const font = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
    const indexAt = (u: uPlot, left: number): number => {
      const { times: xs, step: width } = latest.current;
      const x = u.posToVal(left, 'x');
      return Math.max(0, Math.min(xs.length - 1, Math.floor((x - (xs[0] ?? 0)) / width)));
    };
    const keyAt = (u: uPlot, index: number, top: number): string | null => {
      if (latest.current.kind !== 'stack') return null;
      const y = u.posToVal(top, 'y');
      let sum = 0;
      for (const one of latest.current.series) {
        sum += one.values[index] ?? 0;
        if (y <= sum && y >= 0) return one.key;
      }
      return null;
    };
    const drawn = kind === 'stack' ? [...series].reverse() : series;
    const bars = uPlot.paths.bars?.({ size: [0.86, 44, 1], align: 1 });
    const made = new uPlot({
      width: Math.max(120, element.clientWidth),
      height,
      padding: [10, 4, 0, 0],
      legend: { show: false },
      tzDate: (ts) => (isUtc() ? uPlot.tzDate(new Date(ts * 1000), 'Etc/UTC') : new Date(ts * 1000)),
      cursor: {
        y: false,
        points: { show: kind === 'lines', size: 7 },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        dataIdx: (u) => indexAt(u, u.cursor.left ?? 0),
        ...(props.sync ? { sync: { key: props.sync, setSeries: false } } : {}),
      },
      scales: {
        x: { time: true, range: () => { const { times: xs, step: w } = latest.current; return [xs[0] ?? 0, (xs.at(-1) ?? 0) + w]; } },
        y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
      },
      axes: [
        { stroke: soft, font, grid: { show: false }, ticks: { stroke: line, size: 4, width: 1 }, size: 28, gap: 4, space: 64,
          values: (u, splits, _axis, _space, incr) => splits.map((s) => { if (isCut(u, s)) return ''; const d = new Date(s * 1000); return incr >= 86_400 ? day(d).slice(5) : (clock(d, incr < 60) === '00:00' ? day(d).slice(5) : clock(d, incr < 60)); }) },
        { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 50, gap: 6, space: 34,
          values: (_u, splits) => splits.map((v) => latest.current.axis(v)) },
      ],
      series: [
        {},
        ...drawn.map((one): uPlot.Series => kind === 'stack'
          ? { label: one.label, fill: () => (one.hatched ? hatch(one.colour, card) : one.colour), stroke: card, width: 1, points: { show: false }, ...(bars ? { paths: bars } : {}) }
          : { label: one.label, stroke: one.colour, width: one.width ?? 1.6, points: { show: true, size: 5, filter: lonely }, spanGaps: false, ...(one.dash ? { dash: one.dash } : {}) }),
      ],
      hooks: {
        setCursor: [(u) => {
          const left = u.cursor.left ?? -1;
          if (left < 0) { setAt(null); return; }
          const index = indexAt(u, left);
          setAt({ index, left: left + u.over.offsetLeft, key: keyAt(u, index, u.cursor.top ?? 0) });
        }],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const { times: xs, step: w, onZoom } = latest.current;
          const first = indexAt(u, u.select.left);
          const last = indexAt(u, u.select.left + u.select.width);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom(xs[first] ?? 0, (xs[last] ?? 0) + w);
        }],
      },
    }, data(), element);
    plot.current = made;

    // A click that was no drag leads to what it hit.
    let downAt = -1;
    const down = (event: MouseEvent) => { downAt = event.clientX; };
    const up = (event: MouseEvent) => {
      if (downAt < 0 || Math.abs(event.clientX - downAt) > 3) return;
      const box = made.over.getBoundingClientRect();
      const index = indexAt(made, event.clientX - box.left);
      const { times: xs, step: w, onPick } = latest.current;
      onPick?.(xs[index] ?? 0, (xs[index] ?? 0) + w, keyAt(made, index, event.clientY - box.top));
    };
    // Fingers brush sideways; up and down stay the page's.
    let touchFrom = -1;
    const touch = (event: PointerEvent) => {
      if (event.pointerType === 'mouse') return;
      const x = Math.max(0, Math.min(made.over.clientWidth, event.clientX - made.over.getBoundingClientRect().left));
      if (event.type === 'pointerdown') { touchFrom = x; return; }
      if (touchFrom < 0) return;
      const width = Math.abs(x - touchFrom);
      const box = { left: Math.min(x, touchFrom), top: 0, width, height: made.over.clientHeight };
      if (event.type === 'pointermove') { if (width > 8) made.setSelect(box, false); return; }
      touchFrom = -1;
      if (event.type === 'pointerup' && width > 16) made.setSelect(box, true);
      else made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    };
    made.over.addEventListener('mousedown', down);
    made.over.addEventListener('click', up);
    for (const name of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const) made.over.addEventListener(name, touch);

    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
      setAt(null);
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data());
  }, [times, series]);

  const move = (index: number) => {
    const u = plot.current;
    const t = times[index];
    if (!u || t === undefined) return;
    const left = u.valToPos(t + step / 2, 'x');
    u.setCursor({ left, top: u.over.clientHeight + 1 });
  };
  const select = (a: number, b: number) => {
    const u = plot.current;
    if (!u) return;
    const from = u.valToPos(times[Math.min(a, b)] ?? 0, 'x');
    const to = u.valToPos((times[Math.max(a, b)] ?? 0) + step, 'x');
    u.setSelect({ left: from, top: 0, width: to - from, height: u.over.clientHeight }, false);
  };
  const clear = () => {
    plot.current?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    setRange(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = times.length - 1;
    const index = at?.index ?? last;
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -last, End: last };
    const delta = steps[event.key];
    if (delta !== undefined) {
      event.preventDefault();
      const to = at ? Math.max(0, Math.min(last, index + delta)) : last;
      move(to);
      if (event.shiftKey) {
        const start = range?.[0] ?? index;
        setRange([start, to]);
        select(start, to);
      } else if (range) clear();
    } else if (event.key === 'Enter' && at) {
      event.preventDefault();
      if (range) {
        const [a, b] = range;
        clear();
        props.onZoom(times[Math.min(a, b)] ?? 0, (times[Math.max(a, b)] ?? 0) + step);
      } else props.onPick?.(times[index] ?? 0, (times[index] ?? 0) + step, null);
    } else if (event.key === 'Escape') {
      clear();
      plot.current?.setCursor({ left: -10, top: -10 });
    }
  };

  const rows = at ? series.map((s) => ({ ...s, value: s.values[at.index] ?? null })).filter((s) => s.value !== null && (kind === 'lines' || s.value > 0)) : [];
  const sum = kind === 'stack' ? rows.reduce((n, s) => n + (s.value ?? 0), 0) : 0;
  const ordered = kind === 'stack' ? [...rows].reverse() : rows;
  const width = host.current?.clientWidth ?? 0;
  return (
    <div class="chart" style={{ height: `${height}px` }}>
      <div
        class="chart-host" ref={host} tabIndex={0} role="application" aria-roledescription="chart"
        aria-label={`${label}. Arrow keys read it, Shift and arrows select, Enter zooms into the selection or opens the cases.`}
        onKeyDown={onKeyDown} onBlur={() => { clear(); plot.current?.setCursor({ left: -10, top: -10 }); }}
      />
      {at ? (
        <div class={`readout ${at.left > width / 2 ? 'readout-left' : ''}`} style={{ left: `${at.left}px` }}>
          <p class="readout-time">{stepLabel(times, step, at.index)}</p>
          {rows.length === 0 ? <p class="readout-none">{kind === 'stack' ? 'none' : 'no request'}</p> : (
            <table><tbody>
              {ordered.slice(0, 8).map((s) => (
                <tr key={s.key} class={s.key === at.key ? 'readout-at' : ''}><th scope="row"><span class={`swatch ${s.className}`} />{s.label}</th><td>{props.format(s.value as number)}</td></tr>
              ))}
              {kind === 'stack' && rows.length > 1 ? <tr class="readout-sum"><th scope="row">together</th><td>{props.format(sum)}</td></tr> : null}
            </tbody></table>
          )}
        </div>
      ) : null}
      <div class="offscreen" role="status" aria-live="polite">
        {at && document.activeElement === host.current ? `${stepLabel(times, step, at.index)}: ${rows.length ? ordered.map((s) => `${s.label} ${props.format(s.value as number)}`).join(', ') : 'none'}` : ''}
      </div>
    </div>
  );
}
