// Brush, eraser and Clear, and what the planes need to edit the modes of the data.
import { button, floats } from "./base.js";
import { choose } from "./arena_knobs.js";

export function editing(model, say) {
  const { near, most, own, tips } = model.get("facts");
  let tool = "", waiting = null;
  const modes = () => {
    if (waiting) return waiting;
    const { data, own: painted } = model.get("values");
    if (data === own) return painted;
    const flat = Array.from(floats(model.get("world").modes));
    return flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]].map((v) => Number(v.toFixed(2)))]));
  };
  const put = (now) => {                                         // once a picture, however fast the pointer is
    if (waiting === null) requestAnimationFrame(send);
    waiting = now;
  };
  const send = () => {
    const last = waiting;
    waiting = null;
    choose(model, { data: own, own: last });
  };
  const pressed = () => {
    for (const made of tools) made.ariaPressed = String(made.textContent.toLowerCase() === tool);
  };
  const tools = ["Brush", "Eraser"].map((name) => {
    const made = button(name, () => { tool = tool === name.toLowerCase() ? "" : name.toLowerCase(); pressed(); });
    made.title = tips[name];
    return made;
  });
  pressed();
  const clear = button("Clear", () => { tool = "brush"; pressed(); put([]); });
  clear.title = tips.Clear;
  return { tools: [...tools, clear], edit: { modes, put, near, most, say, tool: () => tool } };
}
