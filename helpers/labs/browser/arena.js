// The arena's page. It draws frames and sends settings; it does not train, and does not know who does: the kernel
// (helpers/labs/arena.py), or anything else that has a model with get, set, on, off, save_changes and send.
//
//   what the page sends
//     values          settings by name, as the trait "rows" lists them; "own" has the reader's own modes, [[x, y], …]
//     {ask: …}        "start", "pause", "restart", or "step" with which: "both", "D" or "G"
//   what it is sent
//     running         whether it trains
//     message         what the reader should know: why it paused, what went wrong
//     world           { real, modes: bytes of float32 x, y, …; std } of the data; modes is null for a curve
//     frame           { phase: 0, or 1 to 5 in slow motion, sides: [side, …] }, one side or two, each
//       step, building: steps of G; whether the side waits for its graph
//       modes, strict, captured, quality: modes there are, are held, are touched; share of samples on one
//       beyond        shares of samples left, right, above and below of what is drawn
//       slope         mean length of the pulls
//       fake, pull    bytes of float32: samples, x, y, …; and the pull on the first of them
//       field         bytes, a square of what D thinks, from the top left: 0 generated, 255 real
//       grid          bytes of float32: a square of noise, carried to where G puts it
//       history       bytes of float32, `kept` of each: step, D's loss, G's loss, modes held, quality
//       note          what a setting could not do
//   what stays
//     facts           recipes, texts, reach: helpers.labs.recipes.facts()
//     rows, start     the controls and their defaults
import { button, element, framed, listen, put } from "./base.js";
import { editing } from "./arena_edit.js";
import { film } from "./arena_film.js";
import { inkOf, onLook } from "./arena_ink.js";
import { sharedKnobs, sideKnobs } from "./arena_knobs.js";
import { networks } from "./arena_networks.js";
import { copying } from "./arena_setting.js";
import { side } from "./arena_side.js";

function arena(model, el, signal) {
  el.classList.add("arena");
  const { recipes, tips, legend, phases, slow } = model.get("facts");
  const ask = (message) => model.send(message), tipped = (made, name) => Object.assign(made, { title: tips[name] });
  const message = element("span", { role: "status", className: "message" });
  const say = (words) => { message.textContent = words; };
  const { tools, edit } = editing(model, say);
  const sides = [..."ab"].map((letter) => side(model, letter, edit));
  const flow = networks(phases), past = film(tips.time, () => again());
  const grid = element("input", { type: "checkbox" }), sentence = element("p", { className: "sentence" });
  grid.addEventListener("change", () => again());

  const start = tipped(button("Start", () => ask({ ask: model.get("running") ? "pause" : "start" })), "Start");
  const step = (text, which) => tipped(button(text, () => ask({ ask: "step", which })), text);
  const copy = copying(model, signal, say), shared = sharedKnobs(model, signal), knobs = sideKnobs(model, signal);
  const defaults = tipped(button("Defaults", () => put(model, model.get("start"))), "Defaults");
  const restart = tipped(button("Restart", () => ask({ ask: "restart" })), "Restart");
  const feet = element("div", { className: "feet" }, start, step("Step", "both"), step("Step D", "D"),
    step("Step G", "G"), restart, shared.stop, message);
  const gridded = tipped(element("label", {}, grid, "G's grid"), "G's grid");
  const under = element("div", { className: "under" }, ...tools, gridded, past.element);
  const below = element("div", { className: "below" }, ...sides.map(({ curves }) => curves), flow.element);
  const beside = element("div", { className: "beside" }, knobs,
    element("div", { className: "feet" }, defaults, copy.made), copy.text);
  el.append(shared.fields, sentence, feet, element("div", { className: "field" },
    element("div", { className: "planes" }, ...sides.map(({ part }) => part)), under, below, beside),
  element("p", { className: "legend-line", textContent: legend }));

  let waits = false;                           // frames may come faster than the screen shows them: the last one counts
  const again = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      const { sides: live, phase } = model.get("frame"), looked = past.now();
      if (!live || signal.aborted || !el.isConnected) return;      // Jupyter takes a cell out of sight off the page
      const ink = inkOf(el), world = looked?.world ?? model.get("world");
      live.forEach((frame, i) => sides[i].draw(ink, world, frame, looked?.frame.sides[i], grid.checked));
      flow.show(phase);
      el.dataset.frames = Number(el.dataset.frames ?? 0) + 1;
    });
  };
  onLook(el, signal, again);
  listen(model, signal, ["values"], () => {
    const values = model.get("values");
    for (const { part, curves } of sides.slice(1)) part.hidden = curves.hidden = values.sides !== "A and B";
    sentence.textContent = recipes[values.recipe]?.words ?? "";
    el.classList.toggle("slow", values.speed === slow);
    again();
  });
  listen(model, signal, ["running"], () => { start.textContent = model.get("running") ? "Pause" : "Start"; });
  listen(model, signal, ["message"], () => say(model.get("message")));
  listen(model, signal, ["frame"], () => {
    if (model.get("frame").sides) past.keep(model.get("frame"), model.get("world"));
    again();
  });
  listen(model, signal, ["world"], again);
}

export default framed(arena);
