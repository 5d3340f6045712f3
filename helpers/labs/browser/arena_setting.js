// A setting as text: the line of code that makes an arena with it.
import { button, element, listen } from "./base.js";

// Of the values those that differ from the recipe's, or from the defaults.
function settingText(model) {
  const values = model.get("values"), { recipes, noRecipe } = model.get("facts"), { recipe, ...others } = values;
  const plain = { ...model.get("start"), ...recipes[recipe]?.values };
  const differs = ([name, value]) => JSON.stringify(value) !== JSON.stringify(plain[name]);
  const shown = [...(recipe === noRecipe ? [] : [["recipe", recipe]]), ...Object.entries(others).filter(differs)];
  return `arena.Arena(${shown.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")})`;
}

// The button that copies it, and the line that shows it, for where a page may not write to the clipboard.
export function copying(model, signal, say) {
  const text = element("input", { className: "copied", readOnly: true, hidden: true, ariaLabel: "this setting" });
  const made = button("Copy this setting", async () => {
    text.value = settingText(model);
    text.hidden = false;
    text.focus();
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      say("Copied: run it in a cell.");
    } catch {
      say("Copy it from the line beside the planes.");
    }
  });
  made.title = model.get("facts").tips[made.textContent];
  listen(model, signal, ["values"], () => { text.hidden = true; });
  return { made, text };
}
