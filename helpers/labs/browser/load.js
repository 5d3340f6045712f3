// What anywidget loads of every lab. The modules in this folder import "./base.js" as in any page; anywidget, however,
// makes a blob of one file, from which nothing relative can be imported. So the texts of the base and of the lab's own
// module come as traits, and are made into blobs here, as anywidget does: where a blob is forbidden, no widget works.
// Each text is one module a page, whatever the number of labs.
const modules = globalThis[Symbol.for("answers you can run: modules")] ??= new Map();

function urlOf(text) {
  if (!modules.has(text)) modules.set(text, URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  return modules.get(text);
}

export default {
  async initialize({ model }) {
    const { keepTwins } = await import(urlOf(model.get("base")));
    keepTwins(model);
  },
  async render(context) {
    const base = urlOf(context.model.get("base"));
    const module = urlOf(context.model.get("module").replace(/(["'])\.\/base\.js\1/, JSON.stringify(base)));
    const { default: lab } = await import(module);
    return lab.render(context);
  },
};
