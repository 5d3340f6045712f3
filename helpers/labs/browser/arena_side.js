// One side of the arena: what is said of it, the reader's guess, its plane, its curves.
import { element, floats } from "./base.js";
import { drawCurves } from "./arena_curves.js";
import { plane } from "./arena_plane.js";

const number = (value) => value.toLocaleString("en");
const percent = (share) => `${share && share < 0.005 ? "<1" : Math.round(100 * share)}%`;

// What is said of a frame: the strict count first.
function wordsOf({ step, modes, strict, captured, quality, beyond, slope, note, field }) {
  const out = Math.min(1, beyond.reduce((a, b) => a + b, 0));
  const found = modes ? `: ${strict} of ${modes} modes held` : `: ${percent(quality)} near the data`;
  const more = [...(modes ? [`${captured} touched`, `${percent(quality)} on a mode`] : []),
    ...(field.byteLength ? [`mean pull ${Number(slope.toPrecision(2))}`] : []),
    ...(out ? [`${percent(out)} out of sight`] : []), ...(note ? [note] : [])];
  return { main: `step ${number(step)}${field.byteLength ? found : ""}`, more: more.join(" · ") };
}

// How many modes will it hold at the step at which it pauses? Asked before the start, answered at that step.
function guessing(model, name) {
  const guess = element("select", { ariaLabel: `${name}: your guess`, title: model.get("facts").tips.guess });
  const asked = element("span"), verdict = element("span");
  const whole = element("div", { className: "guess" }, asked, guess, verdict);
  let found = null;                                              // modes held at that step
  const offer = (count) => {
    const old = guess.value;
    guess.replaceChildren(new Option("?", ""), ...Array.from({ length: count + 1 }, (_, i) => new Option(i)));
    guess.value = old <= count ? old : "";
  };
  const show = ({ modes, step, strict }) => {
    const { stop } = model.get("values");
    whole.hidden = !modes || !stop;
    if (guess.length !== modes + 2) offer(modes);
    if (step < stop) found = null;
    else if (step === stop) found ??= strict;
    guess.disabled = step > 0;
    asked.textContent = `Guess for step ${number(stop)}: `;
    const answer = Number(guess.value) === found ? " – right." : ` – it held ${found}.`;
    verdict.textContent = ` of ${modes}${found === null || !guess.value ? "" : answer}`;
  };
  return { element: whole, show };
}

export function side(model, letter, edit) {
  const name = letter.toUpperCase(), field = plane(name, model.get("facts").reach, edit), guess = guessing(model, name);
  const main = element("span", { className: "said" }), more = element("div", { className: "more" });
  const waits = element("span", { className: "waits", hidden: true, ariaLive: "polite" });
  const [losses, modes] = ["losses", "modes"].map((what) =>
    element("canvas", { className: "arena-curve", role: "img", ariaLabel: `${what} of ${name} over time` }));
  const title = element("div", {}, element("b", { textContent: name }), " ", main);
  const part = element("div", { className: `arena-side ${letter}` },
    element("div", { className: "head" }, title, more, guess.element),
    element("div", { className: "stage" }, field.canvas, waits));

  // live: the newest frame; looked: the one to show in its place, if the reader looks back; grid: whether G's is drawn.
  const draw = (ink, world, live, looked, grid) => {
    const frame = looked ?? live, words = wordsOf(frame);
    main.textContent = words.main;
    more.textContent = words.more;
    if (waits.hidden === live.building) waits.textContent = live.building ? "building its graph …" : "";
    waits.hidden = !live.building;
    part.classList.toggle("building", live.building);
    guess.show(live);
    field.draw(ink, world, frame, { grid, words: `${words.main}. ${words.more}` });
    curves(ink, live, looked ? looked.step : null);
  };
  const curves = (ink, { history, kept, modes: count }, cursor) => {
    const row = (k) => Array.from(floats(history).subarray(k * kept, (k + 1) * kept));
    const [steps, d, g, held, quality] = [0, 1, 2, 3, 4].map(row), last = (values) => values.findLast(Number.isFinite);
    const loss = (who, values, colour, dash) =>
      ({ name: `${who}'s loss`, values, colour, dash, now: last(values)?.toFixed(2) ?? "" });
    drawCurves(losses, ink, steps, [loss("D", d, ink.d, []), loss("G", g, ink.g, [4, 3])], { cursor });
    const share = { values: quality, colour: ink.quality, dash: [4, 3], now: percent(last(quality) ?? 0) };
    if (count) {
      const strict = { name: "modes held", values: held, colour: ink.pull, dash: [], now: last(held) ?? 0 };
      drawCurves(modes, ink, steps, [strict, { ...share, name: "on a mode" }],
        { cursor, right: true, range: [0, count], marks: [0, count] });
    } else {
      drawCurves(modes, ink, steps, [{ ...share, name: "near the data" }], { cursor, range: [0, 1], marks: [0, 1] });
    }
  };
  return { draw, part, curves: element("div", { className: `arena-curves ${letter}` }, losses, modes) };
}
