// The plane of one side: data, samples, what D thinks of each place; and modes, which a reader drags, paints, wipes.
import { element, floats } from "./base.js";
import { penOf } from "./arena_ink.js";

// edit: { modes(): [[x, y], …], put(modes), tool(): "brush", "eraser" or "", near, most, say(words) }
export function plane(name, reach, edit) {
  const canvas = element("canvas", { className: "arena-plane", tabIndex: 0, role: "application" });
  let cross = null, held = null, drawn = null;
  const redraw = () => drawn && draw(...drawn);

  function draw(ink, world, frame, { grid, words }) {
    drawn = [ink, world, frame, { grid, words }];
    const { pen, width, height, unit } = penOf(canvas);
    const place = (x, y) => [width * (x / reach + 1) / 2, height * (1 - y / reach) / 2];
    pen.fillStyle = `rgb(${ink.ground})`;
    pen.fillRect(0, 0, width, height);
    if (frame.field?.byteLength) drawField(pen, width, frame.field, ink);
    circles(pen, floats(world.modes), place, 3 * world.std * width / reach / 2, ink, unit);
    dots(pen, floats(world.real), place, ink.data, 0.9 * unit);
    if (grid) drawGrid(pen, floats(frame.grid), place, ink, unit);
    drawArrows(pen, frame, place, ink, unit);
    dots(pen, floats(frame.fake), place, ink.g, 1.6 * unit);
    outside(pen, frame.beyond, width, height, ink, unit);
    if (cross) drawCross(pen, place(...cross), 3 * 0.1 * width / reach / 2, ink, unit);
    canvas.ariaLabel = `Plane of ${name}. ${words}`;
  }

  // Editing: a press on a circle drags it; elsewhere the brush paints, and the eraser wipes.
  const at = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const whole = (part) => Math.min(Math.max(reach * (2 * part - 1), -reach), reach);
    return [whole((clientX - left) / width), -whole((clientY - top) / height)].map((v) => Number(v.toFixed(2)));
  };
  const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const nearest = (spot) => edit.modes().reduce((best, mode, i, all) =>
    (distance(mode, spot) < (best < 0 ? edit.near : distance(all[best], spot)) ? i : best), -1);
  const move = (spot) => edit.put(edit.modes().map((mode, i) => (i === held ? spot : mode)));
  const wipe = (spot) => {
    const left = edit.modes().filter((mode) => distance(mode, spot) >= edit.near);
    if (left.length < edit.modes().length) edit.put(left);
  };
  const paint = (spot) => {
    const modes = edit.modes();
    if (modes.some((mode) => distance(mode, spot) < edit.near)) return;
    if (modes.length >= edit.most) edit.say(`${edit.most} modes are the most: this one was left out.`);
    else edit.put([...modes, spot]);
  };
  const free = (spot) => edit.modes().every((mode, i) => i === held || distance(mode, spot) >= edit.near);
  const use = (spot) => {
    if (held !== null) return free(spot) && move(spot);
    if (edit.tool() === "brush") paint(spot);
    if (edit.tool() === "eraser") wipe(spot);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    cross = null;
    const touched = nearest(at(event));
    held = touched >= 0 && edit.tool() !== "eraser" ? touched : null;
    use(at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) use(at(event));
    else canvas.style.cursor = edit.tool() ? "crosshair" : nearest(at(event)) >= 0 ? "grab" : "";
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) {
      const stride = event.shiftKey ? 0.05 : 0.2, spot = cross ?? [0, 0];
      cross = spot.map((v, i) => Number(Math.min(Math.max(v + stride * way[i], -reach), reach).toFixed(2)));
      if (held !== null && free(cross)) move(cross);
    } else if (cross && event.key === "Enter") {                 // picks a mode up, puts it down, or paints one
      const touched = held === null ? nearest(cross) : null;
      if (held !== null) held = null;
      else if (touched >= 0) held = touched;
      else paint(cross);
    } else if (cross && ["Delete", "Backspace"].includes(event.key)) {
      wipe(cross);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    redraw();
  });
  canvas.addEventListener("blur", () => { cross = held = null; redraw(); });
  return { canvas, draw };
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

function circles(pen, centres, place, radius, ink, unit) {
  Object.assign(pen, { strokeStyle: ink.faint, lineWidth: unit });
  for (let i = 0; i < centres.length; i += 2) {
    pen.beginPath();
    pen.arc(...place(centres[i], centres[i + 1]), radius, 0, 7);
    pen.stroke();
  }
}

// What the discriminator thinks of each place: blue where it says real, orange where it says generated.
function drawField(pen, size, field, { ground, real, fake, dark }) {
  const values = new Uint8Array(field.buffer, field.byteOffset, field.byteLength), n = Math.round(values.length ** 0.5);
  const shades = new ImageData(n, n), small = element("canvas", { width: n, height: n });
  values.forEach((value, i) => {
    const t = value / 127.5 - 1, strong = (dark ? 0.65 : 0.75) * Math.abs(t), colour = t > 0 ? real : fake;
    ground.forEach((g, k) => { shades.data[4 * i + k] = g + strong * (colour[k] - g); });
    shades.data[4 * i + 3] = 255;
  });
  small.getContext("2d").putImageData(shades, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(small, 0, 0, size, size);
}

// Where the generator's loss would have its samples go. Lengths grow with the root of the slope, up to a bound.
function drawArrows(pen, frame, place, ink, unit) {
  const from = floats(frame.fake), pull = floats(frame.pull);
  Object.assign(pen, { strokeStyle: ink.pull, lineWidth: 1.4 * unit });
  pen.beginPath();
  for (let i = 0; i < pull.length; i += 2) {
    const slope = Math.hypot(pull[i], pull[i + 1]), length = 30 * unit * Math.min(1, Math.sqrt(slope));
    if (length < 1) continue;
    const [x, y] = place(from[i], from[i + 1]), ux = pull[i] / slope, uy = -pull[i + 1] / slope;
    const tip = [x + ux * length, y + uy * length], head = Math.min(4 * unit, length / 2);
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

// A square of noise, carried to where the generator puts it: row by row, column by column.
function drawGrid(pen, corners, place, ink, unit) {
  const n = Math.round(Math.sqrt(corners.length / 2));
  const corner = (r, c) => place(corners[2 * (n * r + c)], corners[2 * (n * r + c) + 1]);
  Object.assign(pen, { strokeStyle: ink.g, lineWidth: unit, globalAlpha: 0.7 });
  pen.beginPath();
  for (let r = 0; r < n; r++) {
    for (const line of [(c) => corner(r, c), (c) => corner(c, r)]) {
      for (let c = 0; c < n; c++) pen[c ? "lineTo" : "moveTo"](...line(c));
    }
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

// The share of the samples that lie out of sight, at the edge beyond which they are: left, right, above, below.
function outside(pen, shares, width, height, ink, unit) {
  pen.font = `bold ${11 * unit}px sans-serif`;
  const edge = 9 * unit, high = [height / 2, height / 2, edge, height - edge];
  shares?.forEach((share, k) => {
    if (!share) return;
    const words = `${"◀▶▲▼"[k]} ${share < 0.005 ? "<1" : Math.round(100 * share)}%`;
    const wide = pen.measureText(words).width, y = high[k] + 4 * unit;
    const x = [edge, width - edge - wide, (width - wide) / 2, (width - wide) / 2][k];
    pen.fillStyle = `rgb(${ink.ground})`;
    pen.fillRect(x - 4 * unit, y - 12 * unit, wide + 8 * unit, 16 * unit);
    Object.assign(pen, { fillStyle: ink.g, textAlign: "left" });
    pen.fillText(words, x, y);
  });
}

function drawCross(pen, [x, y], radius, ink, unit) {
  Object.assign(pen, { strokeStyle: ink.text, lineWidth: 1.5 * unit });
  pen.beginPath();
  pen.moveTo(x - 8 * unit, y);
  pen.lineTo(x + 8 * unit, y);
  pen.moveTo(x, y - 8 * unit);
  pen.lineTo(x, y + 8 * unit);
  pen.stroke();
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.stroke();
}
