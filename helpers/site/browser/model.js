// A model without a kernel: what the labs ask of anywidget's, over a state that lies in the page.

// serve: what answers in the kernel's place, { changed(model), asked(message, model) }, each if there is one.
export class Model {
  #state;
  #heard = new Map();
  #serve;

  constructor(state, serve = {}) {
    this.#state = state;
    this.#serve = serve;
  }

  get(name) { return this.#state[name]; }

  set(name, value) {
    if (Object.is(this.#state[name], value)) return;
    this.#state[name] = value;
    for (const hear of [...this.#heard.get(`change:${name}`) ?? []]) hear();
  }

  save_changes() { this.#serve.changed?.(this); }
  send(message) { this.#serve.asked?.(message, this); }
  on(event, hear) { this.#heard.set(event, [...this.#heard.get(event) ?? [], hear]); }
  off(event, hear) { this.#heard.set(event, (this.#heard.get(event) ?? []).filter((one) => one !== hear)); }
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function inflated(bytes, format) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Response(stream).arrayBuffer();
}

// A state as helpers/labs/states.py stores it: JSON, compressed, as text.
export async function opened(base64) {
  return revived(JSON.parse(new TextDecoder().decode(await inflated(bytesOf(base64), "gzip"))));
}

// Compressed bytes, and weights in whole steps, become what a kernel sends: views of bytes, of float32 if numbers.
async function revived(kept) {
  if (kept === null || typeof kept !== "object") return kept;
  if (Array.isArray(kept)) return Promise.all(kept.map(revived));
  if (typeof kept.z === "string") {
    const bytes = await inflated(bytesOf(kept.z), "deflate");
    if (!("step" in kept)) return new DataView(bytes);
    return new DataView(Float32Array.from(new Int8Array(bytes), (whole) => whole * kept.step).buffer);
  }
  const parts = await Promise.all(Object.values(kept).map(revived));
  return Object.fromEntries(Object.keys(kept).map((name, i) => [name, parts[i]]));
}
