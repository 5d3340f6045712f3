// The latent plane: a map of codes, and the decoder, which runs here, so that the image follows the pointer.
import { button, element, floats, framed, listen, numberEntry, put } from "./base.js";

const activations = {
  linear: (x) => x, relu: (x) => Math.max(x, 0), tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)), leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
};

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
function nearestImage({ images, codes, group, names, shape: [h, w] }, [across, up], side) {
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
    const shades = new Uint8Array(images.buffer, images.byteOffset + best * h * w, h * w);
    ink(image, Float32Array.from(shades, (value) => value / 255));
    said.textContent = image.ariaLabel = `nearest image: a ${names[group.getUint8(best)]}`;
  };
  return { seen: [said, image], showNearest };
}

function plane(model, el, signal) {
  const scene = model.get("scene"), [h, w] = scene.shape, [across, up] = model.get("rows"), side = 380;
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
  const { seen, showNearest } = nearestImage(scene, [across, up], 0.45 * side);
  const decoded = scene.images ? [element("div", { textContent: "decoded" }), image] : [image];
  const numbers = entries.map(({ entry }) => element("div", { className: "entry" }, `${entry.ariaLabel}  `, entry));
  const reset = button("Reset", () => put(model, model.get("start")));
  el.append(element("div", { className: "sides" }, element("div", {}, canvas, legend),
    element("div", {}, ...seen, ...decoded, ...numbers, reset)));

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

export default framed(plane);
