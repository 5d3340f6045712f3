// The arena: for each side the plane, its curves and its controls; frames come from the kernel.
import { button, controlRows, element, floats, framed, listen, put } from "./base.js";

const BLUE = "#0072B2", ORANGE = "#D55E00", GREEN = "#009E73", PINK = "#CC79A7";

// One setting's pictures: the plane above, losses and modes over time below.
function arenaSide(model, name, ask) {
  const sharpness = Math.max(1, window.devicePixelRatio), side = 400;
  const canvas = (height, label) => {
    const made = element("canvas", { width: side * sharpness, height: height * sharpness, role: "img" });
    made.ariaLabel = label;
    Object.assign(made.style, { width: `${side}px`, imageRendering: "auto" });
    return made;
  };
  const plane = canvas(side, "plane"), losses = canvas(90, "losses"), modes = canvas(90, "modes");
  const said = element("div", { className: "said" });
  plane.addEventListener("click", ({ clientX, clientY }) => {
    const { left, top, width, height } = plane.getBoundingClientRect();
    const at = (part) => model.get("world").reach * (2 * part - 1);
    ask({ ask: "point", x: at((clientX - left) / width), y: -at((clientY - top) / height) });
  });
  const draw = (frame) => {
    if (!frame) return;
    const world = model.get("world"), modesOfWorld = floats(world.modes).length / 2 || 1;
    drawPlane(plane, sharpness, world, frame);
    const [d, g, captured, quality] = [0, 1, 2, 3].map((row) => rowOf(frame.history, row, frame.kept));
    drawCurves(losses, sharpness, [[d, BLUE, []], [g, ORANGE, [4, 3]]], ["loss of D", "loss of G"]);
    drawCurves(modes, sharpness, [[captured.map((n) => n / modesOfWorld), GREEN, []], [quality, PINK, [4, 3]]],
      ["modes captured", "share of high quality"], [0, 1]);
    said.textContent = plane.ariaLabel = frame.said;
  };
  const whole = element("div", { className: "arena-side" }, element("b", {}, name), plane, said, losses, modes);
  return { draw, element: whole };
}

const rowOf = (bytes, row, n) => Array.from(floats(bytes).subarray(row * n, (row + 1) * n));

function drawPlane(canvas, sharpness, world, frame) {
  const pen = canvas.getContext("2d"), size = canvas.width;
  const place = (x, y) => [size * (x / world.reach + 1) / 2, size * (1 - y / world.reach) / 2];
  drawField(pen, size, frame);
  pen.lineWidth = sharpness;
  const centres = floats(world.modes), radius = 3 * world.std * size / world.reach / 2;
  pen.strokeStyle = "#555";
  for (let i = 0; i < centres.length; i += 2) {
    pen.beginPath();
    pen.arc(...place(centres[i], centres[i + 1]), radius, 0, 7);
    pen.stroke();
  }
  dots(pen, floats(world.real), place, "#222222", 1.1 * sharpness);
  drawArrows(pen, frame, place, sharpness);
  dots(pen, floats(frame.fake), place, ORANGE, 1.9 * sharpness);
}

function dots(pen, points, place, colour, radius) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = place(points[i], points[i + 1]);
    pen.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
  pen.fill();
}

// What the discriminator thinks of each place: blue where it says real, orange where it says generated.
function drawField(pen, size, { field }) {
  const values = new Uint8Array(field.buffer, field.byteOffset, field.byteLength), n = Math.round(values.length ** 0.5);
  const shades = new ImageData(n, n), small = element("canvas", { width: n, height: n });
  values.forEach((value, i) => {
    const t = value / 127.5 - 1, strong = 0.75 * Math.abs(t), [r, g, b] = t > 0 ? [86, 180, 233] : [240, 160, 90];
    [r, g, b].forEach((c, k) => { shades.data[4 * i + k] = 255 - strong * (255 - c); });
    shades.data[4 * i + 3] = 255;
  });
  small.getContext("2d").putImageData(shades, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(small, 0, 0, size, size);
}

// Where the generator's loss would have its samples go. Lengths grow with the root of the slope, up to a bound.
function drawArrows(pen, frame, place, sharpness) {
  const from = floats(frame.fake), pull = floats(frame.pull);
  pen.strokeStyle = GREEN;
  pen.lineWidth = 1.6 * sharpness;
  pen.beginPath();
  for (let i = 0; i < pull.length; i += 2) {
    const slope = Math.hypot(pull[i], pull[i + 1]), length = 38 * sharpness * Math.min(1, Math.sqrt(slope));
    if (length < 1) continue;
    const [x, y] = place(from[i], from[i + 1]), ux = pull[i] / slope, uy = -pull[i + 1] / slope;
    const tip = [x + ux * length, y + uy * length], head = Math.min(5 * sharpness, length / 2);
    pen.moveTo(x, y);
    pen.lineTo(...tip);
    for (const turn of [0.5, -0.5]) {
      pen.moveTo(...tip);
      pen.lineTo(tip[0] - head * (ux * Math.cos(turn) - uy * Math.sin(turn)),
        tip[1] - head * (uy * Math.cos(turn) + ux * Math.sin(turn)));
    }
  }
  pen.stroke();
}

function drawCurves(canvas, sharpness, curves, names, range) {
  const pen = canvas.getContext("2d"), { width, height } = canvas, top = 18 * sharpness, foot = 4 * sharpness;
  const all = curves.flatMap(([values]) => values).filter(Number.isFinite);
  const [low, high] = range ?? [Math.min(...all), Math.max(...all, Math.min(...all) + 1e-3)];
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.font = `${11 * sharpness}px sans-serif`;
  curves.forEach(([values, colour, dash], k) => {
    const x = (i) => width * i / Math.max(1, values.length - 1);
    const y = (v) => top + (height - top - foot) * (1 - (v - low) / (high - low));
    Object.assign(pen, { strokeStyle: colour, fillStyle: colour, lineWidth: 1.6 * sharpness });
    pen.setLineDash(dash.map((d) => d * sharpness));
    pen.beginPath();
    values.forEach((v, i) => Number.isFinite(v) && pen.lineTo(x(i), y(v)));
    pen.stroke();
    const last = values.findLast(Number.isFinite), share = range ? `${Math.round(100 * last)} %` : last?.toFixed(2);
    if (!all.length) return;
    pen.fillText(`${k ? "- -" : "––"} ${names[k]} ${share ?? ""}`, (6 + 200 * k) * sharpness, 13 * sharpness);
  });
  pen.setLineDash([]);
}

// Cures are switched one by one.
function cureButtons(model, name, signal) {
  const { options, label } = model.get("rows").find((row) => row.name === name);
  return element("div", { className: "cures", role: "group", ariaLabel: label }, ...options.map((cure) => {
    const made = button(cure, () => {
      const on = model.get("values")[name];
      put(model, { [name]: options.filter((o) => (o === cure ? !on.includes(o) : on.includes(o))) });
    });
    listen(model, signal, ["values"], () => { made.ariaPressed = model.get("values")[name].includes(cure); });
    return made;
  }));
}

function arena(model, el, signal) {
  const ask = (message) => model.send(message);
  const names = model.get("rows").map(({ name }) => name), cured = (name) => name.endsWith("cures");
  const shared = controlRows(model, names.filter((name) => !/^[ab]_/.test(name)));
  const start = button("Start", () => ask({ ask: model.get("running") ? "pause" : "start" }));
  const message = element("span", { role: "status" }), shows = { ...shared.shows };
  const step = (text, which) => button(text, () => ask({ ask: "step", which }));
  const feet = element("div", { className: "feet" }, start,
    step("Step", "both"), step("Step D", "D"), step("Step G", "G"),
    button("Reset", () => ask({ ask: "reset" })), button("Defaults", () => put(model, model.get("start"))),
    button("Clear own points", () => ask({ ask: "clear" })), message);
  const sides = ["a", "b"].map((letter) => {
    const mine = names.filter((name) => name.startsWith(`${letter}_`) && !cured(name));
    const { shows: some, controls } = controlRows(model, mine), pictures = arenaSide(model, letter.toUpperCase(), ask);
    Object.assign(shows, some);
    pictures.element.append(controls, cureButtons(model, `${letter}_cures`, signal));
    return pictures;
  });
  const legend = element("div", { className: "arena-legend" },
    "black: data, their modes circled · orange squares: generated · green arrows: where G is pulled · "
    + "background: blue where D says real, orange where it says generated");
  el.append(shared.controls, feet, legend, element("div", { className: "sides" }, ...sides.map((s) => s.element)));

  listen(model, signal, ["values"], () => {
    const values = model.get("values");
    for (const [name, show] of Object.entries(shows)) show(values[name]);
    sides[1].element.hidden = values.sides !== "A and B";
  });
  listen(model, signal, ["running"], () => { start.textContent = model.get("running") ? "Pause" : "Start"; });
  listen(model, signal, ["message"], () => { message.textContent = model.get("message"); });
  let waits = false;                           // frames may come faster than the screen shows them: the last one counts
  listen(model, signal, ["frame", "world"], () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      model.get("frame").sides?.forEach((frame, i) => sides[i].draw(frame));
      el.dataset.frames = Number(el.dataset.frames ?? 0) + 1;
    });
  });
}

export default framed(arena);
