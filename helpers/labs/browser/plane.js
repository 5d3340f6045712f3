// The latent plane: a map of codes, the decoder, which runs here, so that the image follows the pointer, and perhaps an
// encoder, so that a drawing finds its place on the map.
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
      if (!x[i]) continue;                                               // most pixels of a drawing are 0
      for (let j = 0, k = i * y.length; j < y.length; j++, k++) y[j] += x[i] * w[k];
    }
    return y.map(activations[activation]);
  };
}

function network(layers) {
  const made = layers.map(dense);
  return (x) => made.reduce((values, layer) => layer(values), x);
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

// A canvas for an image, and what is said above it.
function imageCanvas([h, w], said, className) {
  const canvas = element("canvas", { width: w, height: h, role: "img", className });
  const caption = element("figcaption", {}, said);
  return { canvas, caption, figure: element("figure", {}, caption, canvas) };
}

const signsOf = (names) => names.map((name, i) => (name.length === 1 ? name : String.fromCharCode(97 + i)));

// The codes, each as the sign of its class (a digit is itself) in the class's colour.
function drawCodes(pen, { codes, group, names, colours }, size, place) {
  const signs = signsOf(names), z = floats(codes);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, size, size);
  Object.assign(pen, { font: `${size / 42}px sans-serif`, textAlign: "center", textBaseline: "middle" });
  for (let i = 0; i < z.length / 2; i++) {
    const c = group.getUint8(i);
    pen.fillStyle = colours[c % colours.length];
    pen.fillText(signs[c], ...place(z[2 * i], z[2 * i + 1]));
  }
}

function legendOf({ names, colours }, [across, up]) {
  const range = ({ label, low, high }) => `${label} from ${low} to ${high}`.replaceAll("-", "−");
  return element("div", { className: "legend" }, `→ ${range(across)}, ↑ ${range(up)}`, element("br"),
    ...signsOf(names).map((sign, i) => element("span", { style: `color: ${colours[i % colours.length]}` },
      element("b", {}, sign), sign === names[i] ? " " : ` ${names[i]}  `)));
}

// The image whose code is nearest to a place of the map, with its class; nothing without images. Where not all codes
// have one, the first ones do.
function nearestImage({ images, codes, group, names, shape }, [across, up]) {
  if (!images) return { figures: [], showNearest: () => {} };
  const { canvas, caption, figure } = imageCanvas(shape, "", "nearest"), pixels = canvas.width * canvas.height;
  const z = floats(codes), wide = across.high - across.low, tall = up.high - up.low;
  const showNearest = (z1, z2) => {
    let best = 0, least = Infinity;
    for (let i = 0; i < images.byteLength / pixels; i++) {
      const distance = ((z[2 * i] - z1) / wide) ** 2 + ((z[2 * i + 1] - z2) / tall) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    const shades = new Uint8Array(images.buffer, images.byteOffset + best * pixels, pixels);
    ink(canvas, Float32Array.from(shades, (value) => value / 255));
    caption.textContent = canvas.ariaLabel = `nearest image: ${names[group.getUint8(best)]}`;
  };
  return { figures: [figure], showNearest };
}

// Strokes, lists of places from 0 to 1, as MNIST would hold them: of one width, scaled into 20 of 28 pixels (images of
// another size have no margin), with their centre of mass in the middle. Returns grey values, 0 to 1.
function rasterised(strokes, [h, w]) {
  const fine = 8, margin = h === 28 && w === 28 ? 4 : 0, width = Math.max(1.5, Math.min(h, w) / 11);
  const canvas = element("canvas", { width: fine * w, height: fine * h });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const ends = [0, 1].map((axis) => {
    const along = strokes.flat().map((place) => place[axis]);
    return [Math.min(...along), Math.max(...along)];
  });
  const extent = ends.map(([low, high]) => high - low);
  const zoom = Math.min(...[w, h].map((side, axis) => (side - 2 * margin - width) / Math.max(extent[axis], 0.02)));
  const drawn = (shift) => {
    const middles = ends.map(([low, high]) => (low + high) / 2);
    const put = (place) => place.map((p, axis) => (p - middles[axis]) * zoom + [w, h][axis] / 2 + shift[axis]);
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.clearRect(0, 0, w, h);
    Object.assign(pen, { lineCap: "round", lineJoin: "round" });
    for (const [share, alpha] of [[1.2, 0.5], [0.8, 1]]) {                // a soft edge
      Object.assign(pen, { lineWidth: share * width, strokeStyle: `rgb(0 0 0 / ${alpha})` });
      pen.beginPath();
      for (const stroke of strokes) {
        pen.moveTo(...put(stroke[0]));
        stroke.forEach((place) => pen.lineTo(...put(place)));
      }
      pen.stroke();
    }
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height), values = new Float32Array(h * w);
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        const pixel = Math.floor(y / fine) * w + Math.floor(x / fine);
        values[pixel] += data[4 * (y * canvas.width + x) + 3] / 255 / fine ** 2;
      }
    }
    return values;
  };
  const mass = [0, 0, 0];
  drawn([0, 0]).forEach((value, i) => [value, value * (i % w + 0.5), value * (Math.floor(i / w) + 0.5)]
    .forEach((part, k) => { mass[k] += part; }));
  return drawn([w, h].map((side, axis) => {
    const room = Math.max(0, (side - extent[axis] * zoom - 1.2 * width) / 2);             // no ink beyond the edge
    return Math.min(Math.max(side / 2 - mass[axis + 1] / mass[0], -room), room);
  }));
}

// A pad to draw on with the pointer, or with arrow keys and the space bar; give(pixels) gets the image at each move,
// and null when it is cleared.
function drawingPad(shape, give) {
  const canvas = element("canvas", { width: 360, height: Math.round(360 * shape[0] / shape[1]), className: "pad" });
  Object.assign(canvas, { tabIndex: 0, role: "application" });
  canvas.ariaLabel = "drawing pad: the pointer draws; the space bar puts a pen down and arrow keys move it";
  let strokes = [], keys = { at: [0.5, 0.5], down: false };
  const show = () => {
    const pen = canvas.getContext("2d"), put = ([x, y]) => [x * canvas.width, y * canvas.height];
    pen.clearRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, { lineWidth: canvas.width / 14, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
    pen.beginPath();
    for (const stroke of strokes) {
      pen.moveTo(...put(stroke[0]));
      stroke.forEach((place) => pen.lineTo(...put(place)));               // to itself first: one place is a dot
    }
    pen.stroke();
    if (!keys.used || document.activeElement !== canvas) return;
    pen.beginPath();
    pen.arc(...put(keys.at), canvas.width / 40, 0, 7);
    Object.assign(pen, { fillStyle: keys.down ? "#D55E00" : "white", strokeStyle: "#D55E00", lineWidth: 4 });
    pen.fill();
    pen.stroke();
  };
  const drawTo = (place) => {
    strokes.at(-1).push(place);
    show();
    give(rasterised(strokes, shape));
  };
  const under = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height].map((part) => Math.min(Math.max(part, 0), 1));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    Object.assign(keys, { used: false, down: false });
    strokes.push([]);
    drawTo(under(event));
  });
  canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && drawTo(under(event)));
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way && event.key !== " ") return;
    event.preventDefault();
    keys.used = true;
    if (way) keys.at = keys.at.map((part, axis) => Math.min(Math.max(part + way[axis] / 28, 0), 1));
    else if (keys.down = !keys.down) strokes.push([]);
    if (keys.down) drawTo(keys.at);
    else show();
  });
  for (const kind of ["focus", "blur"]) canvas.addEventListener(kind, show);
  const clear = button("Clear", () => {
    [strokes, keys] = [[], { at: [0.5, 0.5], down: false }];
    show();
    give(null);
  });
  show();
  return { pad: canvas, clear };
}

function plane(model, el, signal) {
  const scene = model.get("scene"), [across, up] = model.get("rows"), decode = network(scene.layers);
  const sharpness = Math.max(1, window.devicePixelRatio), map = element("canvas");
  const part = (axis, z) => (z - axis.low) / (axis.high - axis.low);
  const place = (z1, z2) => [map.width * part(across, z1), map.width * (1 - part(up, z2))];
  const clip = ({ low, high }, z) => Number(Math.min(Math.max(z, low), high).toFixed(2));
  const move = (z1, z2) => put(model, { z1: clip(across, z1), z2: clip(up, z2) });

  const canvas = element("canvas", { tabIndex: 0, role: "application", className: "map" });
  const { figures, showNearest } = nearestImage(scene, [across, up]);
  const decoded = imageCanvas(scene.shape, "decoded"), image = decoded.canvas;
  const entries = [across, up].map((axis) => numberEntry(axis, (z) => put(model, { [axis.label]: clip(axis, z) })));
  const numbers = entries.map(({ entry }) => element("label", { className: "entry" }, `${entry.ariaLabel} `, entry));
  const reset = button("Reset", () => put(model, model.get("start")));
  let own = null;                                                            // the code of what the reader has drawn
  el.append(element("div", { className: "plane" },
    element("div", { className: "wide" }, canvas, legendOf(scene, [across, up])),
    element("div", { className: "side" }, ...(scene.encoder ? padParts() : []),
      element("div", { className: "figures" }, ...figures, decoded.figure), ...numbers, reset)));

  function padParts() {
    const encode = network(scene.encoder), seen = imageCanvas(scene.shape, "as the encoder sees it", "seen");
    const { pad, clear } = drawingPad(scene.shape, (pixels) => {
      own = pixels && encode(pixels);
      Object.assign(seen.canvas, { pixels, code: own });
      ink(seen.canvas, pixels ?? new Float32Array(seen.canvas.width * seen.canvas.height));
      const [z1, z2] = Array.from(own ?? [], (z) => z.toFixed(2));
      seen.canvas.ariaLabel = own ? `your drawing, its code z1 = ${z1}, z2 = ${z2}` : "no drawing";
      if (own) move(...own);
      draw();
    });
    const here = element("figure", {}, element("figcaption", {}, "draw here"), pad);
    clear.click();
    return [element("div", { className: "figures drawn" }, here, element("div", {}, seen.figure, clear))];
  }

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

  function draw() {
    if (!map.width) return;
    const { z1, z2 } = model.get("values"), [x, y] = place(z1, z2), pen = canvas.getContext("2d");
    pen.drawImage(map, 0, 0);
    const arm = 11 * sharpness, shapes = [new Path2D(`M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}`)];
    if (own) {
      shapes.push(new Path2D());
      shapes[1].arc(...place(...own), 8 * sharpness, 0, 7);
    }
    for (const [strokeStyle, width] of [["white", 5], ["black", 2]]) {
      Object.assign(pen, { strokeStyle, lineWidth: width * sharpness });
      for (const shape of shapes) pen.stroke(shape);
    }
  }
  const fitted = new ResizeObserver(([{ contentRect: { width } }]) => {
    const size = Math.round(width * sharpness);
    if (!size || (size === map.width && size === map.height)) return;
    for (const either of [map, canvas]) Object.assign(either, { width: size, height: size });
    drawCodes(map.getContext("2d"), scene, size, place);
    draw();
  });
  fitted.observe(canvas);
  signal.addEventListener("abort", () => fitted.disconnect());

  listen(model, signal, ["values"], () => {
    const { z1, z2 } = model.get("values");
    draw();
    image.decoded = decode([z1, z2]);
    ink(image, image.decoded);
    showNearest(z1, z2);
    [z1, z2].forEach((z, i) => entries[i].show(z));
    canvas.ariaLabel = `latent plane, cross at z1 = ${z1}, z2 = ${z2}; arrow keys move it`;
    image.ariaLabel = `image decoded at z1 = ${z1}, z2 = ${z2}`;
  });
}

export default framed(plane, { alone: true });
