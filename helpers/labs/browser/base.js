// What all labs share in the browser: their frame, controls for mouse, keyboard and screen reader, the model's values.

export function element(tag, properties = {}, ...children) {
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
export function listen(model, signal, names, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    signal.addEventListener("abort", () => model.off(`change:${name}`, callback));
  }
  callback();
}

export function put(model, values) {
  model.set("values", { ...model.get("values"), ...values });
  model.save_changes();
}

export const button = (text, onclick) => element("button", { textContent: text, className: "jupyter-button", onclick });

export function numberEntry({ label, low, high, step }, give) {
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
export function controlRows(model, names, retrains = false) {
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

// The numbers that the kernel sent as bytes; none for null.
export function floats(bytes) {
  if (!bytes) return new Float32Array(0);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// What a lab's module exports: a frame with the lab's title, in which draw(model, el, signal) draws the rest. signal is
// aborted when the view is removed.
export const framed = (draw) => ({
  render({ model, el }) {
    const end = new AbortController();
    el.classList.add("lab");
    Object.assign(el, { role: "group", ariaLabel: model.get("title") });
    el.append(element("h4", { textContent: model.get("title") }));
    draw(model, el, end.signal);
    keepKeys(el);
    return () => end.abort();
  },
});
