// Numbers in a memory of their own, and the product of matrices in it, several times faster than a script's: the bytes
// are those of product.wat, by `npx wat2wasm`.
const CODE =
  "AGFzbQEAAAABDgFgCn9/f39/f39/f38AAhEBBXNwYWNlBm1lbW9yeQIAAQMCAQAHCwEHcHJvZHVjdAAACvEDAe4DAwt/AXwEeyAH" +
  "QQN0IQ8gD0FwcSEQAkADQCACRQ0BIAJBAWshAiAJIQwgASELIAYhESADIQoDQCALKwMAIRUgFUQAAAAAAAAAAGIEQCAMIBU5AwAg" +
  "DCARNgIIIAxBEGohDAsgCyAFaiELIBEgD2ohESAKQQFrIgoNAAsgCEUEQCAAQQAgD/wLAAsgBiERAkADQCAMIAlrQT9xRQ0BIAxE" +
  "AAAAAAAAAAA5AwAgDCAGNgIIIAxBEGohDAwACwsgCSENAkADQCANIAxGDQEgDSsDAP0UIRYgDSgCCCERIA0rAxD9FCEXIA0oAhgh" +
  "EiANKwMg/RQhGCANKAIoIRMgDSsDMP0UIRkgDSgCOCEUIA1BwABqIQ1BACEOAkADQCAOIBBGDQEgACAOaiAAIA5q/QAEACAWIBEg" +
  "Dmr9AAQA/fIBIBcgEiAOav0ABAD98gH98AEgGCATIA5q/QAEAP3yASAZIBQgDmr9AAQA/fIB/fAB/fAB/fAB/QsEACAOQRBqIQ4M" +
  "AAsLIBAgD0cEQCAAIA5qIAAgDmorAwAgFv0hACARIA5qKwMAoiAX/SEAIBIgDmorAwCioCAY/SEAIBMgDmorAwCiIBn9IQAgFCAO" +
  "aisDAKKgoKA5AwALDAALCyAAIA9qIQAgASAEaiEBDAALCws=";

const SCRATCH = 65536, PAGES = 512;                                   // bytes of a first page; pages of as many, in all

export class Space {
  #memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  #product;
  #top = SCRATCH;

  constructor() {
    const module = new WebAssembly.Module(Uint8Array.from(atob(CODE), (letter) => letter.charCodeAt(0)));
    this.#product = new WebAssembly.Instance(module, { space: { memory: this.#memory } }).exports.product;
  }

  // Room for n numbers, which are 0.
  zeros(n) {
    const made = new Float64Array(this.#memory.buffer, this.#top, n).fill(0);
    this.#top += 8 * n;
    return made;
  }

  // Gives all room back: what was made before must not be used any more.
  clear() { this.#top = SCRATCH; }

  // out (rows × m) = x (rows × inner) · w (inner × m), or with `add` that much more. x[r, k] lies at r · down + k · across,
  // so that a matrix can be read as its transpose. Zeros, which relu makes of half the numbers, cost nothing.
  product(out, x, rows, inner, down, across, w, m, add) {
    this.#product(out.byteOffset, x.byteOffset, rows, inner, 8 * down, 8 * across, w.byteOffset, m, Number(add), 0);
  }
}
