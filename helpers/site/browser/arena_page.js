// The arena's model in a page: a worker takes the kernel's place.
const { workerOf } = globalThis.answers;

export const traits = ({ trainer, ...state }) => state;

export function serve({ trainer, values }) {
  // What comes as bytes is numbers to the worker.
  const numbers = (bytes) => bytes && new Float32Array(bytes.buffer.slice(0));
  const worlds = Object.fromEntries(Object.entries(trainer.worlds).map(([name, { real, modes, std }]) =>
    [name, { real: numbers(real), modes: numbers(modes), std }]));
  const worker = workerOf("arena_worker.js");
  let told = JSON.stringify(values);
  return {
    begin(model) {
      worker.addEventListener("message", ({ data: { name, value, steps } }) => {
        model.steps = steps;
        model.set(name, value);
      });
      worker.addEventListener("error", ({ message }) => console.error(`the arena's worker: ${message}`));
      worker.postMessage({ facts: { ...trainer, worlds }, values });
    },
    changed(model) {
      const now = model.get("values"), text = JSON.stringify(now);
      if (text === told) return;
      told = text;
      worker.postMessage({ values: now });
    },
    asked(message) { worker.postMessage({ message }); },
  };
}
