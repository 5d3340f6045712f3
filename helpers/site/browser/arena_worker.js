// The worker of an arena: hears what the page says, and tells it what changes.
import { Trainer } from "./trainer.js";

let trainer = null, timer = null;

function turn() {
  clearTimeout(timer);
  const wait = trainer.turn();
  if (wait !== null) timer = setTimeout(turn, wait);
}

addEventListener("message", ({ data: { facts, values, message } }) => {
  if (facts) trainer = new Trainer(facts, (name, value) => postMessage({ name, value, steps: trainer?.stepsDone }));
  if (values) trainer.prepare(values);
  if (message) trainer.press(message);
  turn();
});
