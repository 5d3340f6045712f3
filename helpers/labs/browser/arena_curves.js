// Curves over the steps of training, true in time, with axes.
import { penOf } from "./arena_ink.js";

// About so many round numbers from low to high.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((k) => k * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const length = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

const short = (value) => (Math.abs(value) >= 10_000 ? `${value / 1000}k` : value.toLocaleString("en"));

// The range of the values but for the outermost hundredth, which may be a hundred times as large.
function rangeOf(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  if (!sorted.length) return [0, 1];
  const [low, high] = [at(0.01), at(0.99)], room = Math.max(0.08 * (high - low), 0.02);
  return [low - room, high + room];
}

// steps: of all points. series: [{ name, values, colour, dash, now }], now being what is said of it. range: of the
// axis, or none; marks: the numbers that it shows, or none. right: whether the second series has an axis of its own,
// from 0 to 100%. cursor: a step that is looked at.
export function drawCurves(canvas, ink, steps, series, { range, marks, right = false, cursor = null } = {}) {
  const { pen, width, height, unit } = penOf(canvas);
  const [left, top, foot, edge] = [40, 16, 15, right ? 36 : 8].map((length) => length * unit);
  const [low, high] = range ?? rangeOf(series.flatMap(({ values }) => values)), last = Math.max(steps.at(-1) ?? 0, 10);
  const x = (step) => left + (width - left - edge) * step / last;
  const y = (value, [a, b] = [low, high]) => top + (height - top - foot) * (1 - (value - a) / (b - a));
  pen.font = `${10.5 * unit}px sans-serif`;
  pen.lineWidth = unit;
  const line = (points, colour, dash = []) => {
    pen.strokeStyle = colour;
    pen.setLineDash(dash.map((length) => length * unit));
    pen.beginPath();
    for (const point of points) pen.lineTo(...point);
    pen.stroke();
    pen.setLineDash([]);
  };
  const write = (text, place, colour, align) => {
    Object.assign(pen, { fillStyle: colour, textAlign: align });
    pen.fillText(text, ...place);
  };
  line([[left, top], [left, height - foot], [width - edge, height - foot]], ink.faint);
  for (const tick of marks ?? ticks(low, high, 3)) {
    line([[left - 3 * unit, y(tick)], [left, y(tick)]], ink.faint);
    write(short(tick), [left - 5 * unit, y(tick) + 3.5 * unit], ink.text, "right");
  }
  if (right) {
    for (const share of [0, 1]) {
      write(`${100 * share}%`, [width - edge + 4 * unit, y(share, [0, 1]) + 3.5 * unit], ink.text, "left");
    }
  }
  for (const tick of ticks(0, last, 4)) {
    line([[x(tick), height - foot], [x(tick), height - foot + 3 * unit]], ink.faint);
    write(short(tick), [x(tick), height - 2 * unit], ink.text, tick > 0.93 * last ? "right" : "center");
  }
  if (cursor !== null) line([[x(cursor), top], [x(cursor), height - foot]], ink.faint, [2, 2]);
  pen.save();
  pen.beginPath();
  pen.rect(left, top - 2 * unit, width - left - edge, height - top - foot + 4 * unit);
  pen.clip();
  pen.lineWidth = 1.6 * unit;
  series.forEach(({ values, colour, dash }, k) => {
    const scale = right && k ? [0, 1] : [low, high];
    line(steps.map((step, i) => [x(step), y(values[i], scale)]).filter(([, at]) => Number.isFinite(at)), colour, dash);
  });
  pen.restore();
  let place = left;
  for (const { name, colour, dash, now } of series) {
    line([[place, 9 * unit], [place + 16 * unit, 9 * unit]], colour, dash);
    const words = `${name} ${now}`;
    write(words, [place + 20 * unit, 12 * unit], ink.text, "left");
    place += pen.measureText(words).width + 32 * unit;
  }
}
