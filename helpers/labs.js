// The browser's side of helpers/labs.py: pictures without flicker, controls for keyboard and screen reader, and
// LatentPlane, whose decoder runs here.

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// The notebook's own shortcuts (x cuts the cell, arrows leave it) pause while a control of a lab has the focus;
// those with Ctrl, Alt or Cmd work on. The attribute counts on the focused element itself.
function keepKeys(signal) {
  window.addEventListener("keydown", (event) => {
    if (!event.target.closest?.(".lab")) return;
    const ours = !(event.ctrlKey || event.metaKey || event.altKey);
    event.target.toggleAttribute("data-lm-suppress-shortcuts", ours);
  }, { capture: true, signal });
}

// Names for screen readers; and the number beside a slider follows the drag, also where the slider fires on release.
function nameControls(el, title, signal) {
  const panel = el.closest(".lab");
  if (!panel) return signal.aborted || requestAnimationFrame(() => nameControls(el, title, signal));
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", title);
  const name = () => {
    panel.querySelector(".lab-message")?.setAttribute("aria-live", "polite");
    panel.querySelector(".progress")?.setAttribute("aria-label", "training");
    for (const row of panel.querySelectorAll(".lab-row")) {
      const label = row.querySelector(".widget-label").textContent;
      for (const control of row.querySelectorAll(".noUi-handle, input, select")) {
        control.setAttribute("aria-label", label);
      }
    }
  };
  const follow = (changes) => changes.filter(({ type }) => type === "attributes").forEach(({ target }) => {
    const number = target.closest(".lab-row").querySelector("input");
    number.value = target.getAttribute("aria-valuetext").replace("\u2212", "-");
  });
  const watch = new MutationObserver((changes) => { name(); follow(changes); });
  watch.observe(panel, { subtree: true, childList: true, attributeFilter: ["aria-valuetext"] });
  signal.addEventListener("abort", () => watch.disconnect());
  name();
}

function pictureView(model, el, signal) {
  const img = element("img", { decoding: "sync" });
  let asked = 0, shown = 0;
  async function show() {
    const turn = ++asked, { png, alt, width } = model.get("picture");
    const next = element("img", { src: URL.createObjectURL(new Blob([png], { type: "image/png" })) });
    await next.decode();
    if (turn < shown) return URL.revokeObjectURL(next.src);
    shown = turn;
    URL.revokeObjectURL(img.src);
    Object.assign(img, { src: next.src, alt, width });
  }
  el.append(img);
  model.on("change:picture", show);
  signal.addEventListener("abort", () => model.off("change:picture", show));
  show();
}

const activations = {
  linear: (x) => x, relu: (x) => Math.max(x, 0), tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)), leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
};

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

function dense({ kernel, bias, activation }) {
  const w = floats(kernel), b = floats(bias), activate = activations[activation];
  return (x) => {
    const y = Float64Array.from(b);
    for (let i = 0; i < x.length; i++) {
      for (let j = 0, k = i * y.length; j < y.length; j++, k++) y[j] += x[i] * w[k];
    }
    return y.map(activate);
  };
}

// The map of codes, drawn once: every code is the sign of its class (a digit is itself) in the class's colour.
function drawMap({ codes, group, names, colours }, size, place) {
  const map = element("canvas", { width: size, height: size }), pen = map.getContext("2d");
  const signs = names.map((name, i) => (name.length === 1 ? name : String.fromCharCode(97 + i)));
  const z = floats(codes), classOf = new Uint8Array(group.buffer, group.byteOffset, group.byteLength);
  pen.font = `${size / 38}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = "white";
  pen.fillRect(0, 0, size, size);
  classOf.forEach((c, i) => {
    pen.fillStyle = colours[c % colours.length];
    pen.fillText(signs[c], ...place([z[2 * i], z[2 * i + 1]]));
  });
  const legend = signs.map((sign, i) => element("span", { style: `color: ${colours[i % colours.length]}` },
    element("b", {}, sign), sign === names[i] ? " " : ` ${names[i]} `));
  return [map, legend];
}

function latentPlane(model, el, signal) {
  const scene = model.get("scene"), { low, high, start, shape: [h, w] } = scene;
  const side = 380, size = 2 * side, layers = scene.layers.map(dense);
  const clip = (z) => z.map((v, i) => Math.round(100 * Math.min(Math.max(v, low[i]), high[i])) / 100);
  const place = ([a, b]) => [size * (a - low[0]) / (high[0] - low[0]), size * (high[1] - b) / (high[1] - low[1])];
  const [map, legend] = drawMap(scene, size, place);

  const plane = element("canvas", { width: size, height: size, tabIndex: 0, style: `width: ${side}px` });
  plane.setAttribute("role", "application");
  const image = element("canvas", { width: w, height: h, style: `width: ${side / 2}px` });
  image.setAttribute("role", "img");
  const entries = [0, 1].map((i) => element("input", { type: "number", min: low[i], max: high[i], step: 0.01 }));
  const reset = element("button", { textContent: "Reset", className: "jupyter-button" });
  const range = (i) => `z${i + 1} from ${low[i].toFixed(2)} to ${high[i].toFixed(2)}`;
  el.classList.add("lab");
  el.append(element("b", {}, model.get("title")), element("div", { className: "lab-plane-body" },
    element("div", {}, plane, element("div", {}, `→ ${range(0)}, ↑ ${range(1)}`), element("div", {}, ...legend)),
    element("div", {}, image, ...entries.map((entry, i) => element("div", {},
      element("label", {}, `z${i + 1} `, entry))), reset)));

  function draw() {
    const z = model.get("z"), [x, y] = place(z), pen = plane.getContext("2d");
    pen.drawImage(map, 0, 0);
    for (const [colour, thick] of [["white", 9], ["black", 4]]) {
      Object.assign(pen, { strokeStyle: colour, lineWidth: thick });
      pen.stroke(new Path2D(`M${x - 22} ${y}h44M${x} ${y - 22}v44`));
    }
    image.decoded = layers.reduce((values, layer) => layer(values), z);
    const shades = new ImageData(w, h);
    image.decoded.forEach((ink, i) => shades.data.set([255 * (1 - ink), 255 * (1 - ink), 255 * (1 - ink), 255], 4 * i));
    image.getContext("2d").putImageData(shades, 0, 0);
    const where = `z1 = ${z[0].toFixed(2)}, z2 = ${z[1].toFixed(2)}`;
    plane.setAttribute("aria-label", `latent plane, cross at ${where}; arrow keys move it`);
    image.setAttribute("aria-label", `image decoded at ${where}`);
    entries.forEach((entry, i) => { if (entry !== document.activeElement) entry.value = z[i].toFixed(2); });
  }
  function move(z) {
    model.set("z", clip(z));
    model.save_changes();
  }
  function moveTo(event) {
    const box = plane.getBoundingClientRect();
    move([low[0] + (high[0] - low[0]) * (event.clientX - box.left) / box.width,
      high[1] - (high[1] - low[1]) * (event.clientY - box.top) / box.height]);
  }
  plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); moveTo(event); });
  plane.addEventListener("pointermove", (event) => event.buttons && moveTo(event));
  plane.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.1 : 0.01, z = model.get("z");
    move([z[0] + dx * step * (high[0] - low[0]), z[1] + dy * step * (high[1] - low[1])]);
  });
  entries.forEach((entry, i) => entry.addEventListener("input", () => {
    if (entry.value !== "") move(model.get("z").map((v, j) => (i === j ? entry.valueAsNumber : v)));
  }));
  entries.forEach((entry) => entry.addEventListener("blur", draw));
  reset.addEventListener("click", () => move(start));
  model.on("change:z", draw);
  signal.addEventListener("abort", () => model.off("change:z", draw));
  draw();
}

export default {
  render({ model, el }) {
    const end = new AbortController();
    ({ picture: pictureView, plane: latentPlane })[model.get("kind")](model, el, end.signal);
    keepKeys(end.signal);
    nameControls(el, model.get("title"), end.signal);
    return () => end.abort();
  },
};
