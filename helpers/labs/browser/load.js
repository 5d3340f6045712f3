// What anywidget loads of every lab. The modules in this folder import "./base.js" and each other as in any page;
// anywidget, however, makes a blob of one file, from which nothing relative can be imported. So the texts of the base,
// of the lab's own module and of its parts come as traits, and are made into blobs here, as anywidget does: where a
// blob is forbidden, no widget works. Each text is one module a page, whatever the number of labs.
const modules = globalThis[Symbol.for("answers you can run: modules")] ??= new Map();

function urlOf(text, texts) {
  const whole = text.replace(/(["'])\.\/(\w+\.js)\1/g, (_, __, name) => JSON.stringify(urlOf(texts[name], texts)));
  if (!modules.has(whole)) modules.set(whole, URL.createObjectURL(new Blob([whole], { type: "text/javascript" })));
  return modules.get(whole);
}

export default {
  async initialize({ model }) {
    const { keepTwins } = await import(urlOf(model.get("base"), {}));
    keepTwins(model);
  },
  async render(context) {
    const texts = { "base.js": context.model.get("base"), ...context.model.get("parts") };
    const { default: lab } = await import(urlOf(context.model.get("module"), texts));
    return lab.render(context);
  },
};
