// The frames that are kept to look back at, and the slider that does: of a long run every second, fourth, … frame.
import { element } from "./base.js";

const MOST = 240;

// film(show): show() is called when another frame is to be shown. now() is the frame to show, or null for the newest.
export function film(tip, show) {
  let kept = [], stride = 1, count = 0, at = null;
  const range = element("input", { type: "range", min: 0, max: 0, step: 1, ariaLabel: "time", title: tip });
  const said = element("span", { className: "when" });
  const say = () => {
    const last = Math.max(0, kept.length - 1);
    range.max = last;
    range.value = at === null ? last : Math.max(0, kept.indexOf(at));
    const steps = at?.frame.sides.map(({ step }, i) => `${"AB"[i]} ${step.toLocaleString("en")}`);
    said.textContent = range.ariaValueText = steps ? `then: ${steps.join(" · ")}` : "now";
  };
  range.addEventListener("input", () => {
    const place = range.valueAsNumber;
    at = place >= kept.length - 1 ? null : kept[place];
    say();
    show();
  });
  const clear = () => { kept = []; stride = 1; count = 0; at = null; };
  return {
    element: element("span", { className: "film" }, element("span", { textContent: "time" }), range, said),
    now: () => at,
    // Frames that begin anew on every side end the film of the run before.
    keep(frame, world) {
      const { sides } = frame, before = kept.at(-1)?.frame.sides;
      if (before?.some(({ step }) => step > 0) && sides.every(({ step }) => step === 0)) clear();
      const still = before?.length === sides.length && sides.every(({ step }, i) => step === before[i].step);
      if (still) kept.pop();
      if (still || count++ % stride === 0) kept.push({ frame, world });
      if (kept.length > MOST) {
        kept = kept.filter((one, i) => i % 2 === 0 || one === at);
        stride *= 2;
      }
      say();
    },
  };
}
