// What the arena draws with: colours that carry on the page's ground, light or dark; canvases as sharp as the screen.

const LIGHT = { dark: false, ground: [255, 255, 255], real: [86, 180, 233], fake: [240, 160, 90], text: "#222",
  faint: "#8a8a8a", data: "#222", d: "#0072b2", g: "#d55e00", pull: "#009e73", quality: "#b0509a" };
const DARK = { dark: true, ground: [26, 26, 29], real: [52, 136, 196], fake: [196, 108, 40], text: "#ddd",
  faint: "#8f8f8f", data: "#eee", d: "#56b4e9", g: "#ff8f4a", pull: "#2fd3a0", quality: "#e79ac6" };

// The colours for text of this element's colour: on dark ground it is light.
export function inkOf(el) {
  const [r, g, b] = getComputedStyle(el).color.match(/[\d.]+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? DARK : LIGHT;
}

// Calls tell() where the theme or the lab's width may have changed.
export function onLook(el, signal, tell) {
  const sized = new ResizeObserver(tell), themed = new MutationObserver(tell);
  sized.observe(el);
  for (const node of [document.documentElement, document.body]) themed.observe(node, { attributes: true });
  signal.addEventListener("abort", () => { sized.disconnect(); themed.disconnect(); });
}

// The pen of a canvas that is as large, in the screen's own dots, as the page shows it; {pen, width, height, unit}, of
// which unit is a CSS pixel.
export function penOf(canvas) {
  const unit = Math.max(1, window.devicePixelRatio);
  const dots = (length) => Math.max(1, Math.round(length * unit));
  const [width, height] = [dots(canvas.clientWidth), dots(canvas.clientHeight)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  return { pen, width, height, unit };
}
