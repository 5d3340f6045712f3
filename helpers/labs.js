// The browser's side of helpers/labs.py: controls for mouse, keyboard and screen reader, pictures without flicker, and
// the latent plane, whose decoder runs here.

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// The notebook's own shortcuts (x cuts the cell, arrows leave it) pause while a control of a lab has the focus; while
// Ctrl, Alt or Cmd is held they work. Jupyter looks for this attribute on the focused element itself.
function keepKeys(el) {
  for (const kind of ["focusin", "keydown", "keyup"]) {
    el.addEventListener(kind, ({ target, ctrlKey, altKey, metaKey }) => {
      target.toggleAttribute("data-lm-suppress-shortcuts", !(ctrlKey || altKey || metaKey));
    });
  }
}

// model.on, until the view is removed.
function listen(model, signal, names, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    signal.addEventListener("abort", () => model.off(`change:${name}`, callback));
  }
  callback();
}

function put(model, values) {
  model.set("values", { ...model.get("values"), ...values });
  model.save_changes();
}

const button = (text, onclick) => element("button", { textContent: text, className: "jupyter-button", onclick });

function numberEntry({ label, low, high, step }, give) {
  const entry = element("input", { type: "number", ariaLabel: label, min: low, max: high, step });
  const show = (value) => { entry.value = entry.defaultValue = value; };
  const take = () => {
    if (entry.value === "") entry.value = entry.defaultValue;
    give(Math.min(Math.max(entry.valueAsNumber, low), high));
  };
  entry.addEventListener("change", take);
  entry.addEventListener("keydown", ({ key }) => key === "Enter" && take());     // JupyterLab keeps "change" back
  return { entry, show };
}

function sliderRow(control, give, retrains) {
  const { label, low, high, step, decimals } = control;
  const round = (value) => Number(value.toFixed(decimals ?? 0));
  const range = element("input", { type: "range", ariaLabel: label, min: low, max: high, step });
  const number = numberEntry(control, (value) => { show(round(value)); give(round(value)); });
  const show = (value) => { range.value = value; number.show(value); };
  range.addEventListener("input", () => {
    number.show(range.value);
    if (!retrains) give(range.valueAsNumber);
  });
  range.addEventListener("change", () => give(range.valueAsNumber));
  return { show, row: [range, number.entry] };
}

function choiceRow({ label, options }, give) {
  const menu = element("select", { ariaLabel: label }, ...options.map((option) => new Option(option)));
  menu.addEventListener("change", () => give(options[menu.selectedIndex]));
  return { show: (value) => { menu.selectedIndex = options.indexOf(value); }, row: [menu, ""] };
}

// The rows of a lab's controls of these names, and functions that show their values.
function controlRows(model, names, retrains = false) {
  const shows = {}, rows = new Map(model.get("rows").map((row) => [row.name, row]));
  const made = names.map((name) => {
    const control = rows.get(name);
    const give = (value) => value === model.get("values")[name] || put(model, { [name]: value });
    const { show, row } = control.options ? choiceRow(control, give) : sliderRow(control, give, retrains);
    shows[name] = show;
    const cells = row.map((part) => part || element("span"));
    return element("div", { className: "row" }, element("span", { textContent: control.label }), ...cells);
  });
  return { shows, controls: element("div", { className: "controls" }, ...made) };
}

function lab(model, el, signal) {
  const retrains = model.get("retrains");
  const { shows, controls } = controlRows(model, model.get("rows").map(({ name }) => name), retrains);
  const bar = element("progress", { ariaLabel: "training" }), message = element("span", { role: "status" });
  const feet = element("div", { className: "feet" }, button("Reset", () => put(model, model.get("start"))),
    ...(retrains ? [button("Cancel", () => put(model, model.get("settled"))), bar] : []), message);
  const shown = picture(model, signal);
  el.append(controls, feet, shown);
  dragged(model, shown);
  listen(model, signal, ["values"], () => {
    for (const [name, value] of Object.entries(model.get("values"))) shows[name](value);
  });
  listen(model, signal, ["message", "progress"], () => {
    message.textContent = model.get("message");
    bar.hidden = model.get("progress") === null;
    bar.value = model.get("progress") ?? 0;
  });
}

// One <img>, which changes only to pictures already decoded; a picture overtaken while it was decoded is left out.
function picture(model, signal) {
  const img = element("img", { decoding: "sync" });
  let asked = 0, newest = 0;
  listen(model, signal, ["shown"], async () => {
    const turn = ++asked, { src, alt, width } = model.get("shown");
    await element("img", { src }).decode();
    if (turn < newest) return;
    newest = turn;
    Object.assign(img, { src, alt, width });
  });
  return img;
}

// Sliders that follow the pointer over the picture: the first sideways, the second down.
function dragged(model, img) {
  const [across, down] = Object.entries(model.get("drag"));
  if (!across) return;
  const control = Object.fromEntries(model.get("rows").map((row) => [row.name, row]));
  Object.assign(img.style, { cursor: "grab", touchAction: "none" });
  img.draggable = false;
  let from = null;
  img.addEventListener("pointerdown", ({ pointerId, clientX, clientY }) => {
    img.setPointerCapture(pointerId);
    from = { clientX, clientY, values: model.get("values") };
  });
  img.addEventListener("pointermove", ({ buttons, clientX, clientY }) => {
    if (!from || !buttons) return;
    const shrunk = img.clientWidth / model.get("shown").width;
    const moves = [[across, clientX - from.clientX], ...(down ? [[down, clientY - from.clientY]] : [])];
    put(model, Object.fromEntries(moves.map(([[name, pixels], way]) => {
      const { low, high, step, decimals } = control[name];
      const value = low + step * Math.round((from.values[name] + way / pixels / shrunk - low) / step);
      return [name, Number(Math.min(Math.max(value, low), high).toFixed(decimals ?? 0))];
    })));
  });
}

const activations = {
  linear: (x) => x, relu: (x) => Math.max(x, 0), tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)), leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
};

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

function dense({ kernel, bias, activation }) {
  const w = floats(kernel), b = floats(bias);
  return (x) => {
    const y = Float64Array.from(b);
    for (let i = 0; i < x.length; i++) {
      for (let j = 0, k = i * y.length; j < y.length; j++, k++) y[j] += x[i] * w[k];
    }
    return y.map(activations[activation]);
  };
}

// Grey values to a canvas: ink 0 is white, 1 is black.
function ink(canvas, values) {
  const shades = new ImageData(canvas.width, canvas.height);
  values.forEach((value, i) => {
    shades.data.fill(255 * (1 - value), 4 * i, 4 * i + 3);
    shades.data[4 * i + 3] = 255;
  });
  canvas.getContext("2d").putImageData(shades, 0, 0);
}

// The map of codes, drawn once: each code is the sign of its class (a digit is itself) in the class's colour.
function drawMap({ codes, group, names, colours }, size, place) {
  const map = element("canvas", { width: size, height: size }), pen = map.getContext("2d");
  const signs = names.map((name, i) => (name.length === 1 ? name : String.fromCharCode(97 + i)));
  const z = floats(codes), classOf = new Uint8Array(group.buffer, group.byteOffset, group.byteLength);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, size, size);
  Object.assign(pen, { font: `${size / 34}px sans-serif`, textAlign: "center", textBaseline: "middle" });
  classOf.forEach((c, i) => {
    pen.fillStyle = colours[c % colours.length];
    pen.fillText(signs[c], ...place(z[2 * i], z[2 * i + 1]));
  });
  const legend = signs.map((sign, i) => element("span", { style: `color: ${colours[i % colours.length]}` },
    element("b", {}, sign), sign === names[i] ? " " : ` ${names[i]}  `));
  return [map, legend];
}

// The image whose code is nearest to a place of the map, as a canvas, with its class; nothing without images.
function nearestImage({ images, codes, group, names, shape: [h, w], axes: [across, up] }, side) {
  if (!images) return { seen: [], showNearest: () => {} };
  const z = floats(codes), said = element("div"), wide = across.high - across.low, tall = up.high - up.low;
  const image = element("canvas", { width: w, height: h, role: "img", className: "nearest" });
  image.style.width = `${side}px`;
  const showNearest = (z1, z2) => {
    let best = 0, least = Infinity;
    for (let i = 0; i < z.length / 2; i++) {
      const distance = ((z[2 * i] - z1) / wide) ** 2 + ((z[2 * i + 1] - z2) / tall) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    ink(image, Float32Array.from(new Uint8Array(images.buffer, images.byteOffset + best * h * w, h * w), (v) => v / 255));
    said.textContent = image.ariaLabel = `nearest image: a ${names[new Uint8Array(group.buffer, group.byteOffset)[best]]}`;
  };
  return { seen: [said, image], showNearest };
}

function plane(model, el, signal) {
  const scene = model.get("scene"), { axes: [across, up], shape: [h, w] } = scene, side = 380;
  const sharpness = Math.max(1, window.devicePixelRatio), size = Math.round(side * sharpness);
  const layers = scene.layers.map(dense), part = (axis, z) => (z - axis.low) / (axis.high - axis.low);
  const place = (z1, z2) => [size * part(across, z1), size * (1 - part(up, z2))];
  const [map, signs] = drawMap(scene, size, place);
  const clip = ({ low, high }, z) => Number(Math.min(Math.max(z, low), high).toFixed(2));
  const move = (z1, z2) => put(model, { z1: clip(across, z1), z2: clip(up, z2) });

  const canvas = element("canvas", { width: size, height: size, tabIndex: 0, role: "application" });
  const image = element("canvas", { width: w, height: h, role: "img" });
  Object.assign(canvas.style, { width: `${side}px` });
  Object.assign(image.style, { width: `${(scene.images ? 0.45 : 0.6) * side}px` });
  const entries = [across, up].map((axis) => numberEntry(axis, (z) => put(model, { [axis.label]: clip(axis, z) })));
  const range = ({ label, low, high }) => `${label} from ${low.toFixed(2)} to ${high.toFixed(2)}`;
  const legend = element("div", { className: "legend" }, `→ ${range(across)}, ↑ ${range(up)}`, element("br"), ...signs);
  const { seen, showNearest } = nearestImage(scene, 0.45 * side);
  el.append(element("div", { className: "sides" }, element("div", {}, canvas, legend), element("div", {}, ...seen,
    ...(scene.images ? [element("div", { textContent: "decoded" })] : []), image, ...entries.map(({ entry }) => element("div", { className: "entry" }, `${entry.ariaLabel}  `, entry)),
    button("Reset", () => put(model, model.get("start"))))));

  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); follow(event); });
  canvas.addEventListener("pointermove", (event) => (event.buttons ? follow(event) : showNearest(...under(event))));
  canvas.addEventListener("pointerleave", () => showNearest(...Object.values(model.get("values"))));
  function under({ clientX, clientY }) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const x = (clientX - left) / width, y = 1 - (clientY - top) / height;
    return [across.low + x * (across.high - across.low), up.low + y * (up.high - up.low)];
  }
  function follow(event) { move(...under(event)); }
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.1 : 0.01, { z1, z2 } = model.get("values");
    move(z1 + way[0] * step * (across.high - across.low), z2 + way[1] * step * (up.high - up.low));
  });

  listen(model, signal, ["values"], () => {
    const { z1, z2 } = model.get("values"), [x, y] = place(z1, z2), pen = canvas.getContext("2d");
    pen.drawImage(map, 0, 0);
    const arm = 11 * sharpness, cross = new Path2D(`M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}`);
    for (const [strokeStyle, width] of [["white", 5], ["black", 2]]) {
      Object.assign(pen, { strokeStyle, lineWidth: width * sharpness });
      pen.stroke(cross);
    }
    image.decoded = layers.reduce((values, layer) => layer(values), [z1, z2]);
    ink(image, image.decoded);
    showNearest(z1, z2);
    [z1, z2].forEach((z, i) => entries[i].show(z));
    canvas.ariaLabel = `latent plane, cross at z1 = ${z1}, z2 = ${z2}; arrow keys move it`;
    image.ariaLabel = `image decoded at z1 = ${z1}, z2 = ${z2}`;
  });
}

// A row of buttons for each claim; one of them is pressed once the reader has chosen.
function predictions(model, el, signal) {
  for (const [number, sentence] of Object.entries(model.get("sentences"))) {
    const buttons = model.get("answers").map((answer) => {
      const made = button(answer, () => put(model, { [number]: answer }));
      listen(model, signal, ["values"], () => { made.ariaPressed = model.get("values")[number] === answer; });
      return Object.assign(made, { ariaLabel: `${number} ${answer}` });
    });
    el.append(element("div", { className: "claim" }, ...buttons, element("b", {}, number), element("div", {}, sentence)));
  }
}

const kinds = { lab, plane, predictions };       // other files may add theirs

export default {
  render({ model, el }) {
    const end = new AbortController();
    el.classList.add("lab");
    Object.assign(el, { role: "group", ariaLabel: model.get("title") });
    el.append(element("h4", { textContent: model.get("title") }));
    kinds[model.get("kind")](model, el, end.signal);
    keepKeys(el);
    return () => end.abort();
  },
};
