// The Dirac GAN: two numbers, θ of the generator and ψ of the discriminator, and the path of their game on fixed axes,
// among arrows for both gradients. It runs here, so the path follows the pointer, which moves its start.
import { button, controlRows, element, framed, listen, put } from "./base.js";

const ARROWS = 11, LONGEST = 0.8;                                   // arrows a side; the longest, in parts of their gap

// The places [θ, ψ] of the game, steps + 1 of them.
function pathOf({ steps, h, gamma, theta, psi }, inTurns) {
  const path = [[theta, psi]];
  for (let i = 0; i < steps; i++) {
    const next = theta + h * psi;
    psi -= h * ((inTurns ? next : theta) + gamma * psi);
    theta = next;
    path.push([theta, psi]);
  }
  return path;
}

const number = (value) => value.toFixed(2).replace("-", "−");

function drawAxes(pen, { reach, inks }, size, place) {
  Object.assign(pen, { fillStyle: inks.ink, strokeStyle: inks.faint, globalAlpha: 0.5, lineWidth: size / 800 });
  for (let tick = -reach; tick <= reach; tick++) {
    pen.stroke(new Path2D(`M${place(tick, -reach)}L${place(tick, reach)}M${place(-reach, tick)}L${place(reach, tick)}`));
  }
  Object.assign(pen, { globalAlpha: 1, font: `${size / 32}px sans-serif`, textAlign: "center", textBaseline: "bottom" });
  for (let tick = 1 - reach; tick < reach; tick++) {
    pen.fillText(String(tick).replace("-", "−"), place(tick, 0)[0], size * 0.995);
    if (tick) pen.fillText(String(tick).replace("-", "−"), size / 40, place(0, tick)[1] + size / 60);
  }
  pen.font = `italic ${size / 22}px serif`;
  pen.fillText("θ", size * 0.975, size * 0.99);
  pen.fillText("ψ", size / 30, size / 16);
}

function drawArrows(pen, { reach, inks }, gamma, size, place) {
  const gap = 1.8 * reach / (ARROWS - 1), places = Array.from({ length: ARROWS }, (_, i) => i * gap - 0.9 * reach);
  const longest = Math.hypot(0.9 * reach, 0.9 * reach * (1 + gamma)), unit = LONGEST * gap / longest;
  Object.assign(pen, { strokeStyle: inks.faint, lineWidth: size / 250 });
  for (const theta of places) {
    for (const psi of places) {
      const way = [unit * psi, -unit * (theta + gamma * psi)];
      const [[x, y], [toX, toY]] = [place(theta, psi), place(theta + way[0], psi + way[1])];
      const angle = Math.atan2(toY - y, toX - x), head = Math.min(size / 70, Math.hypot(toX - x, toY - y) / 2);
      const wings = [2.6, -2.6].map((turn) => [toX + head * Math.cos(angle + turn), toY + head * Math.sin(angle + turn)]);
      pen.stroke(new Path2D(`M${x} ${y}L${toX} ${toY}M${wings[0]}L${toX} ${toY}L${wings[1]}`));
    }
  }
}

function drawPath(pen, { inks }, path, size, place) {
  const line = new Path2D(), dot = (at, ink, radius) => {
    const shape = new Path2D();
    shape.arc(...place(...at), radius * size, 0, 7);
    pen.fillStyle = ink;
    pen.fill(shape);
  };
  path.forEach((at, i) => (i ? line.lineTo(...place(...at)) : line.moveTo(...place(...at))));
  Object.assign(pen, { strokeStyle: inks.hero, lineWidth: size / 220, lineJoin: "round" });
  pen.stroke(line);
  const [x, y] = place(0, 0), arm = size / 40;
  Object.assign(pen, { strokeStyle: inks.ink, lineWidth: size / 180 });
  pen.stroke(new Path2D(`M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}`));
  dot(path[0], inks["this run"], 0.014);
  dot(path.at(-1), inks.hero, 0.012);
}

function dirac(model, el, signal) {
  const scene = model.get("scene"), { reach } = scene, sharpness = Math.max(1, window.devicePixelRatio);
  const canvas = element("canvas", { tabIndex: 0, role: "application", className: "map" });
  const { shows, controls } = controlRows(model, model.get("rows").map(({ name }) => name), { plays: true });
  const said = element("span", { role: "status" });
  const feet = element("div", { className: "feet" }, button("Reset", () => put(model, model.get("start"))), said);
  el.append(element("div", { className: "plane" },
    element("div", { className: "wide" }, canvas), element("div", { className: "side" }, controls, feet)));

  const place = (theta, psi) => [theta, -psi].map((z) => canvas.width * (z / reach + 1) / 2);
  const clip = (z) => Math.min(Math.max(Math.round(20 * z) / 20, -reach), reach);
  const begin = (theta, psi) => put(model, { theta: clip(theta), psi: clip(psi) });
  const follow = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    begin(reach * (2 * (clientX - left) / width - 1), reach * (1 - 2 * (clientY - top) / height));
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); follow(event); });
  canvas.addEventListener("pointermove", (event) => event.buttons && follow(event));
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const { theta, psi } = model.get("values"), step = event.shiftKey ? 0.5 : 0.05;
    begin(theta + step * way[0], psi + step * way[1]);
  });

  function draw() {
    const values = model.get("values"), pen = canvas.getContext("2d"), size = canvas.width;
    canvas.path = pathOf(values, values.way === scene.inTurns);
    const distance = Math.hypot(...canvas.path.at(-1));
    said.textContent = `after ${values.steps} steps: ${distance < 1000 ? number(distance) : "over 1,000"} from the cross`;
    canvas.ariaLabel = `the path from θ = ${number(values.theta)}, ψ = ${number(values.psi)}, `
      + `${said.textContent}; arrow keys move its start`;
    pen.clearRect(0, 0, size, size);
    drawAxes(pen, scene, size, place);
    drawArrows(pen, scene, values.gamma, size, place);
    drawPath(pen, scene, canvas.path, size, place);
  }
  const fitted = new ResizeObserver(([{ contentRect: { width } }]) => {
    const size = Math.round(width * sharpness);
    if (!size || (size === canvas.width && size === canvas.height)) return;
    Object.assign(canvas, { width: size, height: size });
    draw();
  });
  fitted.observe(canvas);
  signal.addEventListener("abort", () => fitted.disconnect());
  listen(model, signal, ["values"], () => {
    for (const [name, value] of Object.entries(model.get("values"))) shows[name](value);
    draw();
  });
}

export default framed(dirac, { alone: true });
