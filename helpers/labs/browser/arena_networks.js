// A drawing of the two networks, along which slow motion lights what flows in each part of a step.
import { element } from "./base.js";

const SVG = "http://www.w3.org/2000/svg", HIGH = 150;
const svg = (tag, properties, ...children) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

// Which parts are lit, and whether the flow goes back, in each part of a step.
const LIT = [
  { g: "forth" },
  { data: "forth", join: "forth", d: "forth" },
  { d: "back" },
  { g: "forth", join: "forth", d: "forth" },
  { d: "through", join: "back", g: "back" },
];

// Columns of units, all joined with all of the next column.
function net(name, x, gap, sizes) {
  const group = svg("g", { class: `net ${name}` }), spread = (size) => Math.min(26, 120 / size);
  const at = (column, i) => [x + gap * column, HIGH / 2 + spread(sizes[column]) * (i - (sizes[column] - 1) / 2)];
  for (let column = 0; column + 1 < sizes.length; column++) {
    for (let i = 0; i < sizes[column]; i++) {
      for (let j = 0; j < sizes[column + 1]; j++) {
        const [[x1, y1], [x2, y2]] = [at(column, i), at(column + 1, j)];
        group.append(svg("line", { x1, y1, x2, y2 }));
      }
    }
  }
  sizes.forEach((size, column) => {
    for (let i = 0; i < size; i++) {
      const [cx, cy] = at(column, i);
      group.append(svg("circle", { cx, cy, r: 5 }));
    }
  });
  return group;
}

export function networks(phases) {
  const words = (x, y, text) => svg("text", { x, y, "text-anchor": "middle" }, text);
  const parts = {
    g: net("g", 40, 55, [2, 5, 5, 2]),
    join: svg("g", { class: "join" }, ...[62, 88].map((y) => svg("line", { x1: 212, y1: y, x2: 332, y2: y }))),
    data: svg("g", { class: "data" }, svg("line", { x1: 278, y1: 128, x2: 332, y2: 92 }),
      svg("circle", { cx: 270, cy: 132, r: 5 })),
    d: net("d", 340, 55, [2, 5, 5, 1]),
  };
  const named = { role: "img", "aria-label": "the generator's network and the discriminator's" };
  const drawing = svg("svg", { viewBox: "0 0 560 172", ...named }, ...Object.values(parts),
    words(40, 168, "noise z"), words(122, 168, "generator G"), words(268, 50, "samples"), words(270, 154, "data"),
    words(422, 168, "discriminator D"), words(520, 64, "real or"), words(520, 98, "generated?"));
  const said = element("p", { className: "phase", ariaLive: "polite" });
  let shown = null;
  return {
    element: element("div", { className: "networks" }, drawing, said),
    show(phase) {
      if (phase === shown) return;
      shown = phase;
      const lit = LIT[phase - 1] ?? {};
      for (const [name, part] of Object.entries(parts)) part.dataset.flow = lit[name] ?? "";
      said.textContent = phases[phase - 1] ?? "Press Start: each step is made in five parts.";
    },
  };
}
