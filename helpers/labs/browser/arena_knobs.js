// The arena's knobs: what both sides share; what each has, in a table with a column for A and one for B.
import { element, listen, numberEntry, put, scale } from "./base.js";

const small = (value) => (value && Math.abs(value) < 1e-4 ? value.toExponential(0) : String(value));

// A control of one row of the model's "rows": {element, show(value)}. give(value) is told what the reader chose.
function control(row, tip, give) {
  const named = { ariaLabel: row.label, title: tip };
  if (row.options?.length) {
    const menu = element("select", named, ...row.options.map((option) => new Option(option)));
    menu.addEventListener("change", () => give(row.options[menu.selectedIndex]));
    return { element: menu, show: (value) => { menu.selectedIndex = row.options.indexOf(value); } };
  }
  const { min, max, step, at, place } = scale(row);
  const range = element("input", { type: "range", min, max, step, ...named });
  const said = element("span", { className: "value" });
  const say = (value) => { said.textContent = range.ariaValueText = small(value); };
  range.addEventListener("input", () => { say(at(range.valueAsNumber)); give(at(range.valueAsNumber)); });
  const show = (value) => { range.value = place(value); say(value); };
  return { element: element("span", { className: "knob" }, range, said), show };
}

function number(row, tip, give) {
  const { entry, show } = numberEntry(row, (value) => give(Math.round(value)));
  return { element: Object.assign(entry, { title: tip }), show };
}

// Puts values, and says that they follow no recipe any more, if they do not.
export function choose(model, values) {
  const { recipes, noRecipe } = model.get("facts"), all = { ...model.get("values"), ...values };
  const follows = recipes[all.recipe]?.values ?? {};
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const left = ([name, value]) => name !== "stop" && !same(value, all[name]);    // another pause is no other recipe
  if (Object.entries(follows).some(left)) all.recipe = noRecipe;
  put(model, all);
}

export function sharedKnobs(model, signal) {
  const { recipes, tips } = model.get("facts"), shows = {};
  const rows = Object.fromEntries(model.get("rows").map((row) => [row.name, row]));
  const fields = ["recipe", "data", "sides", "speed", "seed", "stop"].map((name) => {
    const give = (value) => choose(model, { [name]: value, ...(name === "recipe" ? recipes[value]?.values : {}) });
    const made = (rows[name].options?.length ? control : number)(rows[name], tips[name], give);
    shows[name] = made.show;
    return element("label", {}, rows[name].label, made.element);
  });
  listen(model, signal, ["values"], () => {
    for (const [name, show] of Object.entries(shows)) show(model.get("values")[name]);
  });
  const stop = fields.pop();
  return { fields: element("div", { className: "shared" }, ...fields), stop };
}

const WORDS = { loss: "loss", g_rate: "G's rate", d_rate: "D's rate", beta1: "Adam's β₁", d_steps: "D's steps",
  width: "width" };

export function sideKnobs(model, signal) {
  const { tips } = model.get("facts"), rows = Object.fromEntries(model.get("rows").map((row) => [row.name, row]));
  const cells = ["", "A", "B"].map((textContent) => element("b", { textContent })), renew = [];
  const line = (name, words, tip, pair) => {
    const label = element("span", { textContent: words, title: tip });
    cells.push(label, ...pair.map(({ element: made }) => made));
    renew.push((values) => pair.forEach(({ show }, i) => show(values["ab"[i] + "_" + name])));
    return label;
  };
  for (const [name, words] of Object.entries(WORDS)) {
    const pair = [..."ab"].map((letter) =>
      control(rows[`${letter}_${name}`], tips[name], (value) => choose(model, { [`${letter}_${name}`]: value })));
    const label = line(name, words, tips[name], pair);
    renew.push((values) => label.classList.toggle("differs", values[`a_${name}`] !== values[`b_${name}`]));
  }
  for (const cure of rows.a_cures.options) {
    const pair = [..."ab"].map((letter) => {
      const name = `${letter}_cures`;
      const ariaLabel = `${letter.toUpperCase()}: ${cure}`;
      const box = element("input", { type: "checkbox", ariaLabel, title: tips[cure] });
      box.addEventListener("change", () => {
        const on = model.get("values")[name];
        choose(model, { [name]: rows[name].options.filter((o) => (o === cure ? box.checked : on.includes(o))) });
      });
      return { element: box, show: (cures) => { box.checked = cures.includes(cure); } };
    });
    const label = line("cures", cure, tips[cure], pair);
    const differs = ({ a_cures: a, b_cures: b }) => a.includes(cure) !== b.includes(cure);
    renew.push((values) => label.classList.toggle("differs", differs(values)));
  }
  const made = element("div", { className: "knobs", role: "group", ariaLabel: "settings of A and B" }, ...cells);
  listen(model, signal, ["values"], () => {
    const values = model.get("values");
    for (const show of renew) show(values);
    made.classList.toggle("alone", values.sides !== "A and B");
  });
  return made;
}
