// Labs whose pictures the kernel draws: controls, what it has to say, and the picture, which changes without flicker.
import { button, cellRuns, controlRows, element, framed, listen, put, scale } from "./base.js";

function lab(model, el, signal) {
  const retrains = model.get("retrains");
  const names = model.get("rows").map(({ name }) => name);
  const { shows, controls } = controlRows(model, names, { retrains, plays: !retrains });
  const bar = element("progress", { ariaLabel: "training" }), message = element("span", { role: "status" });
  const waits = element("span", { className: "waits", hidden: true, ariaLive: "polite" });
  const feet = element("div", { className: "feet" }, button("Reset", () => put(model, model.get("start"))),
    ...(retrains ? [button("Cancel", () => put(model, model.get("settled"))), bar] : []), message, waits);
  const shown = picture(model, signal);
  el.append(controls, feet, shown);
  dragged(model, shown.querySelector("img"));
  sayWaiting(model, el, signal, waits);
  listen(model, signal, ["values"], () => {
    for (const [name, value] of Object.entries(model.get("values"))) shows[name](value);
  });
  listen(model, signal, ["message", "progress"], () => {
    message.textContent = model.get("message");
    bar.hidden = model.get("progress") === null;
    bar.value = model.get("progress") ?? 0;
  });
}

// While the kernel owes an answer to the last touch, the lab is busy; it says so where none has come for 50 ms, so that
// nothing flickers as pictures follow a slider.
function sayWaiting(model, el, signal, sign) {
  let timer = null;
  const owed = () => JSON.stringify(model.get("values")) !== JSON.stringify(model.get("answered"));
  const rest = () => { clearTimeout(timer); timer = null; sign.hidden = true; };
  const wait = () => {
    el.ariaBusy = String(owed());
    if (owed()) timer ??= setTimeout(say, 50);
    else rest();
  };
  const say = () => {
    sign.textContent = cellRuns(model) ? "waits for the running cell …" : "working …";
    sign.hidden = false;
  };
  listen(model, signal, ["values"], wait);
  listen(model, signal, ["answered"], () => { rest(); wait(); });
  signal.addEventListener("abort", rest);
}

// One <img>, which changes only to pictures already decoded; a picture overtaken while it was decoded is left out. The
// frame is as large as the largest picture so far, so that the page below it stays where it is.
function picture(model, signal) {
  const img = element("img", { decoding: "sync" }), frame = element("div", { className: "picture" }, img);
  let asked = 0, newest = 0, widest = 0, tallest = 0;
  listen(model, signal, ["shown"], async () => {
    const turn = ++asked, { src, alt, width } = model.get("shown"), next = element("img", { src });
    await next.decode();
    if (turn < newest) return;
    newest = turn;
    [widest, tallest] = [Math.max(widest, width), Math.max(tallest, width * next.naturalHeight / next.naturalWidth)];
    Object.assign(frame.style, { width: `${widest}px`, aspectRatio: `${widest} / ${tallest}` });
    Object.assign(img, { src, alt });
    img.style.width = `${100 * width / widest}%`;
  });
  return frame;
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
      const { low, high, step } = control[name], { at, place } = scale(control[name]);
      const value = low + step * Math.round((from.values[name] + way / pixels / shrunk - low) / step);
      return [name, at(place(Math.min(Math.max(value, low), high)))];
    })));
  });
}

export default framed(lab);
