import { button, element, framed, listen, put } from "./base.js";

// A row of buttons for each claim; one of them is pressed once the reader has chosen.
function predictions(model, el, signal) {
  for (const [number, sentence] of Object.entries(model.get("sentences"))) {
    const buttons = model.get("answers").map((answer) => {
      const made = button(answer, () => put(model, { [number]: answer }));
      listen(model, signal, ["values"], () => { made.ariaPressed = model.get("values")[number] === answer; });
      return Object.assign(made, { ariaLabel: `${number} ${answer}` });
    });
    const claim = [element("b", {}, number), element("div", {}, sentence)];
    el.append(element("div", { className: "claim" }, ...buttons, ...claim));
  }
}

export default framed(predictions);
