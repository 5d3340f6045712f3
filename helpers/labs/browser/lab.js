// Labs whose pictures the kernel draws: controls, what it has to say, and the picture, which changes without flicker.
import { button, controlRows, element, framed, listen, put } from "./base.js";

function lab(model, el, signal) {
  const retrains = model.get("retrains");
  const names = model.get("rows").map(({ name }) => name);
  const { shows, controls } = controlRows(model, names, { retrains, plays: !retrains });
  const bar = element("progress", { ariaLabel: "training" }), message = element("span", { role: "status" });
  const feet = element("div", { className: "feet" }, button("Reset", () => put(model, model.get("start"))),
    ...(retrains ? [button("Cancel", () => put(model, model.get("settled"))), bar] : []), message);
  const shown = picture(model, signal);
  el.append(controls, feet, shown);
  dragged(model, shown);
  listen(model, signal, ["values"], () => {
    for (const [name, value] of Object.entries(model.get("values"))) shows[name](value);
  });
  listen(model, signal, ["message", "progress"], () => {
    message.textContent = model.get("message");
    bar.hidden = model.get("progress") === null;
    bar.value = model.get("progress") ?? 0;
  });
}

// One <img>, which changes only to pictures already decoded; a picture overtaken while it was decoded is left out.
function picture(model, signal) {
  const img = element("img", { decoding: "sync" });
  let asked = 0, newest = 0;
  listen(model, signal, ["shown"], async () => {
    const turn = ++asked, { src, alt, width } = model.get("shown");
    await element("img", { src }).decode();
    if (turn < newest) return;
    newest = turn;
    Object.assign(img, { src, alt, width });
  });
  return img;
}

// Sliders that follow the pointer over the picture: the first sideways, the second down.
function dragged(model, img) {
  const [across, down] = Object.entries(model.get("drag"));
  if (!across) return;
  const control = Object.fromEntries(model.get("rows").map((row) => [row.name, row]));
  Object.assign(img.style, { cursor: "grab", touchAction: "none" });
  img.draggable = false;
  let from = null;
  img.addEventListener("pointerdown", ({ pointerId, clientX, clientY }) => {
    img.setPointerCapture(pointerId);
    from = { clientX, clientY, values: model.get("values") };
  });
  img.addEventListener("pointermove", ({ buttons, clientX, clientY }) => {
    if (!from || !buttons) return;
    const shrunk = img.clientWidth / model.get("shown").width;
    const moves = [[across, clientX - from.clientX], ...(down ? [[down, clientY - from.clientY]] : [])];
    put(model, Object.fromEntries(moves.map(([[name, pixels], way]) => {
      const { low, high, step, decimals } = control[name];
      const value = low + step * Math.round((from.values[name] + way / pixels / shrunk - low) / step);
      return [name, Number(Math.min(Math.max(value, low), high).toFixed(decimals ?? 0))];
    })));
  });
}

export default framed(lab);
