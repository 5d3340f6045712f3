// Brings the labs of a page to life, each when the reader comes near it: its state is fetched from a file beside the
// page, and the same module draws it that draws it in a notebook. Until then, and if that fails, its twin stands there.
import { Model, opened } from "./model.js";
import * as arena from "./arena_page.js";
import * as guesses from "./guesses.js";
import * as pictures from "./pictures.js";

const { states, urlOf } = globalThis.answers, plain = { traits: (state) => state, serve: () => ({}) };
const KINDS = {
  plane: ["plane.js", plain], pictures: ["lab.js", pictures], predictions: ["predictions.js", guesses],
  arena: ["arena.js", arena], dirac: ["dirac.js", plain],
};

function stateOf({ dataset: { lab, file } }) {
  return new Promise((resolve, reject) => {
    if (lab in states) return resolve(states[lab]);
    const script = document.createElement("script");
    script.src = file;
    script.onload = () => resolve(states[lab]);
    script.onerror = () => reject(new Error(`${file} is not there`));
    document.head.append(script);
  });
}

async function wake(place) {
  const { kind, ...state } = await opened(await stateOf(place)), [module, { traits, serve }] = KINDS[kind];
  const page = place.dataset.lab.split("/")[0], server = serve(state, page), model = new Model(traits(state, page), server);
  const { default: lab } = await import(urlOf(module)), el = document.createElement("div");
  place.querySelector(".twin").replaceWith(el);
  lab.render({ model, el });
  server.begin?.(model);
  place.model = model;
}

const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    wake(target).catch((error) => console.error(`${target.dataset.lab}: ${error}`));
  }
}, { rootMargin: "600px" });
for (const place of document.querySelectorAll("[data-lab]")) near.observe(place);
