// Before this stands `const texts`, {name: text} of all modules. A page that is opened as a file may import no other
// file, but it may import blobs: so modules are made into blobs, here as in helpers/labs/browser/load.js. And it may run
// scripts: so the state of a lab comes as one, which calls answers.take.
const urls = {}, states = {};

function urlOf(name) {
  const text = () => texts[name].replace(/(["'])\.\/(\w+\.js)\1/g, (_, __, other) => JSON.stringify(urlOf(other)));
  return urls[name] ??= URL.createObjectURL(new Blob([text()], { type: "text/javascript" }));
}

// A worker of such a page may not even import blobs: a module and what it imports become one script. So no two of them
// may call different things by the same name.
function scriptOf(name, met = new Set()) {
  if (met.has(name)) return "";
  met.add(name);
  let before = "";
  const own = texts[name].replace(/^import .* from "\.\/(\w+\.js)";$/gm, (_, other) => {
    before += scriptOf(other, met);
    return "";
  });
  return before + own.replace(/^export /gm, "");
}
const workerOf = (name) => new Worker(URL.createObjectURL(new Blob([scriptOf(name)], { type: "text/javascript" })));

globalThis.answers = { urlOf, workerOf, states, take: (name, state) => { states[name] = state; } };
import(urlOf("start.js"));
