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

// How the values of a slider lie along it: evenly; those of a list stand one step apart, whatever lies between them.
export function scale({ low, high, step, decimals, values }) {
  const rounded = (value) => Number(value.toFixed(decimals ?? 0));
  if (!values.length) return { min: low, max: high, step, at: rounded, place: (value) => value };
  const gap = (i, value) => Math.abs(values[i] - value);
  const nearest = (value) => values.reduce((best, _, i) => (gap(i, value) < gap(best, value) ? i : best), 0);
  return { min: 0, max: values.length - 1, step: 1, at: (i) => values[i], place: nearest };
}

function sliderRow(control, give, { retrains, plays }) {
  const { label, unit, values } = control, { min, max, step, at, place } = scale(control);
  const range = element("input", { type: "range", ariaLabel: label, min, max, step });
  const number = numberEntry({ ...control, step: values.length ? "any" : step }, (typed) => {
    const value = at(place(typed));
    show(value);
    give(value);
  });
  const say = (value) => {
    number.show(value);
    if (unit || values.length) range.ariaValueText = `${value} ${unit}`.trim();
  };
  const show = (value) => { range.value = place(value); say(value); };
  const here = () => at(range.valueAsNumber);
  range.addEventListener("input", () => {
    say(here());
    if (!retrains) give(here());
  });
  range.addEventListener("change", () => give(here()));
  const readout = element("span", { className: "readout" }, number.entry, ...(unit ? [` ${unit}`] : []));
  const track = element("span", { className: "track" }, ...(plays ? [playButton(label, range)] : []), range);
  return { show, row: [track, readout] };
}

// A button that walks a slider to its end, in a few seconds, or until the reader touches the lab again.
function playButton(label, range) {
  let walk = null;
  const made = button("", () => (walk ? stop() : play()));
  const show = () => {
    made.textContent = walk ? "❚❚" : "▶\uFE0E";
    made.ariaLabel = `${walk ? "Pause" : "Play"} ${label}`;
  };
  const to = (place) => { range.valueAsNumber = place; range.dispatchEvent(new Event("input")); };
  const stop = () => { walk?.abort(); walk = null; show(); };
  const play = () => {
    const lab = made.closest(".lab"), [min, max, step] = [range.min, range.max, range.step].map(Number);
    const steps = Math.floor((max - min) / step + 1e-6), stride = Math.ceil(steps / 60), end = min + steps * step;
    const pause = Math.min(Math.max(6000 * stride / steps, 100), 600);
    const go = () => {
      if (lab.ariaBusy === "true") return;                     // the picture of the last step is still to come
      if (!made.isConnected || range.valueAsNumber > end - step / 2) return stop();
      to(Math.min(range.valueAsNumber + stride * step, end));
    };
    if (range.valueAsNumber > end - step / 2) to(min);
    walk = new AbortController();
    const timer = setInterval(go, pause), { signal } = walk;
    signal.addEventListener("abort", () => clearInterval(timer));
    for (const touch of ["pointerdown", "keydown"]) {
      lab.addEventListener(touch, ({ target }) => target === made || stop(), { capture: true, signal });
    }
    show();
  };
  made.classList.add("play");
  show();
  return made;
}

function choiceRow({ label, options }, give) {
  const menu = element("select", { ariaLabel: label }, ...options.map((option) => new Option(option)));
  menu.addEventListener("change", () => give(options[menu.selectedIndex]));
  return { show: (value) => { menu.selectedIndex = options.indexOf(value); }, row: [menu, ""] };
}

// The rows of a lab's controls of these names, and functions that show their values. retrains: sliders give their value
// when they are let go. plays: they have buttons that move them.
export function controlRows(model, names, { retrains = false, plays = false } = {}) {
  const shows = {}, rows = new Map(model.get("rows").map((row) => [row.name, row]));
  const made = names.map((name) => {
    const control = rows.get(name);
    const give = (value) => value === model.get("values")[name] || put(model, { [name]: value });
    const { show, row } = control.options ? choiceRow(control, give) : sliderRow(control, give, { retrains, plays });
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

// Jupyter's view of the notebook that the lab stands in; nothing outside JupyterLab and Notebook.
const contextOf = (model) => model.widget_manager?.context;

// Whether a cell runs, so that the kernel may answer only when that has ended.
export function cellRuns(model) {
  return [...(contextOf(model)?.model?.cells ?? [])].some((cell) => cell.executionState === "running");
}

// Calls tell() once the kernel that the lab lives in is no more: ended, exchanged or restarted.
function onKernelGone(model, signal, tell) {
  const session = contextOf(model)?.sessionContext, kernel = session?.session?.kernel?.id;
  if (!kernel) return;
  const gone = ["restarting", "autorestarting", "terminating", "dead"];
  const status = (_, now) => gone.includes(now) && tell();
  const changed = (_, { newValue }) => newValue?.id !== kernel && tell();
  session.statusChanged.connect(status);
  session.kernelChanged.connect(changed);
  signal.addEventListener("abort", () => {
    session.statusChanged.disconnect(status);
    session.kernelChanged.disconnect(changed);
  });
}

// What a lab can say once its kernel is no more: its controls would move nothing.
function retire(el) {
  if (el.classList.contains("gone")) return;
  el.classList.add("gone");
  el.ariaBusy = "false";
  for (const control of el.querySelectorAll("input, select, button")) control.disabled = true;
  el.append(element("p", { role: "alert", className: "lost" },
    "The kernel that drew this lab has ended. Run the cells anew, up to this one, to bring it back."));
}

const WIDGET = "application/vnd.jupyter.widget-view+json", keeping = new WeakSet();

// A notebook that is saved keeps of a lab its twin: of a widget whose kernel is no more, Jupyter shows only an error.
// Where the kernel still lives when the page is loaded again, the widget comes back: its address waits in the metadata.
export function keepTwins(model) {
  const manager = model.widget_manager, notebook = contextOf(model)?.model;
  if (!notebook?.cells || !notebook.toJSON) return;
  for (const { outputs } of notebook.cells) {
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const { metadata: { widget, ...metadata } = {}, ...output } = outputs.get(i).toJSON();
      if (!widget || !manager.has_model(widget.model_id)) continue;
      outputs.set(i, { ...output, metadata, data: { ...output.data, [WIDGET]: widget } });
    }
  }
  if (keeping.has(notebook)) return;
  keeping.add(notebook);
  const whole = notebook.toJSON.bind(notebook);
  notebook.toJSON = () => {
    const content = whole();
    const cells = content.cells.map((cell) => (cell.outputs ? { ...cell, outputs: cell.outputs.map(atRest) } : cell));
    return { ...content, cells };
  };
}

// An output as it is saved: without the widget, if it has a twin.
function atRest(output) {
  const { [WIDGET]: widget, ...data } = output.data ?? {};
  if (!widget || !(data["image/png"] || data["text/markdown"])) return output;
  return { ...output, data, metadata: { ...output.metadata, widget } };
}

// What a lab's module exports: a frame with the lab's title, in which draw(model, el, signal) draws the rest. signal is
// aborted when the view is removed. alone: the lab needs no kernel.
export const framed = (draw, { alone = false } = {}) => ({
  render({ model, el }) {
    const end = new AbortController();
    el.classList.add("lab");
    Object.assign(el, { role: "group", ariaLabel: model.get("title") });
    el.append(element("h4", { textContent: model.get("title") }));
    const question = model.get("question");
    if (question) el.append(element("p", { textContent: question, className: "question" }));
    draw(model, el, end.signal);
    keepKeys(el);
    if (!alone) onKernelGone(model, end.signal, () => retire(el));
    return () => end.abort();
  },
});
