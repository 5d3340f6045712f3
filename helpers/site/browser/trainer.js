// Trains the arena's GANs, as helpers/labs/arena.py does in a kernel: what passes between it and the page, the page's
// module (helpers/labs/browser/arena.js) says. It runs in a worker, so that the page never waits for it.
import { random } from "./random.js";
import { Side } from "./side.js";

const CHUNK = 30, PHASE = 1400;                      // milliseconds of training between frames; of a part in slow motion

export class Trainer {
  // facts: of helpers/site/arena.py. tell(name, value): sets a trait of the page's model.
  constructor(facts, tell) {
    Object.assign(this, { facts, tell, sides: [new Side(facts), new Side(facts)], phase: 0, pace: 10, stepsDone: 0 });
    this.running = false;
  }

  get active() { return this.sides.slice(0, this.values.sides === "A and B" ? 2 : 1); }

  // The values as they are now: what they change goes on, or begins anew.
  prepare(values) {
    const { own: ownPoints, slow, noRecipe } = this.facts, before = this.place;
    this.values = values;
    this.place = ["data", "seed", "sides", "recipe"].map((name) => values[name]);
    const seen = JSON.stringify([values.data, values.own]);
    if (seen !== this.seen) this.#see(values);
    this.seen = seen;
    if (values.speed !== slow) this.phase = 0;
    this.active.forEach((side, i) => side.take(this.world, ofSide(values, "ab"[i]), values.seed));
    const [data, seed, sides, recipe] = this.place;
    const goesOn = before && [before[0], ownPoints].includes(data) && seed === before[1] && sides === before[2]
      && recipe === noRecipe;
    if (!goesOn && JSON.stringify(before) !== JSON.stringify(this.place)) this.restart();
  }

  #see({ data, own }) {
    this.world = worldOf(this.facts, data, own);
    const { real, modes, std } = this.world ?? { real: new Float32Array(0), modes: null, std: this.facts.std };
    this.tell("world", { real: real.slice(0, 1600), modes, std });
    this.#say(this.world ? "" : "There is nothing to learn: paint points with the brush.");
  }

  #say(message) { this.tell("message", message); }

  // What a button does.
  press({ ask, which = "both" }) {
    if (ask === "restart") this.restart();
    else this.#run(ask === "start");
    if (ask === "step" && this.world) {
      this.phase = 0;
      this.#train(1, which);
    }
  }

  #run(running) {
    this.running = running;
    this.tell("running", running);
    if (this.world) this.#say("");
  }

  restart() {
    this.phase = 0;
    for (const side of this.active) side.restart(this.values.seed);
    if (this.world) this.#say("");
  }

  // Trains a chunk if it runs, and shows the frame. Returns after how many milliseconds to be called again, or null.
  turn(now = () => performance.now()) {
    const began = now(), speed = this.facts.speeds[this.values.speed], slow = this.values.speed === this.facts.slow;
    if (this.running && this.world) this.#advance(speed, slow, now);
    this.show();
    if (!this.running || !this.world) return null;
    if (slow) return PHASE;
    return speed === null ? 0 : Math.max(0, 1000 * this.#steps(speed) / speed - (now() - began));
  }

  #steps(speed) { return speed === null ? this.pace : Math.max(1, Math.round(speed / 10)); }

  #advance(speed, slow, now) {
    const { stop } = this.values;
    if (slow) {
      this.phase = this.phase % 5 + 1;
      if (this.phase === 3 || this.phase === 5) this.#train(1, this.phase === 3 ? "D" : "G");
    } else {
      const began = now(), left = this.active.filter(({ step }) => step < stop).map(({ step }) => stop - step);
      const steps = Math.min(this.#steps(speed), ...left);
      this.#train(steps, "both");
      if (speed === null && steps === this.pace) {
        const aim = this.pace * CHUNK / Math.max(now() - began, 1);
        this.pace = Math.round(Math.min(Math.max(aim, 1, this.pace / 2), 2 * this.pace));
      }
    }
    if (this.running && [0, 5].includes(this.phase) && this.active.some(({ step }) => step === stop)) {
      this.#run(false);
      this.#say(`Paused at step ${stop.toLocaleString("en")}. Start goes on.`);
    }
  }

  #train(steps, which) {
    for (const side of this.active) {
      try {
        side.train(steps, which);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#run(false);
        this.#say(`⚠ side ${"AB"[this.sides.indexOf(side)]}: ${error.message}`);
        return;
      }
      this.stepsDone += steps;
    }
  }

  show() {
    const sides = this.active.map((side) => (this.world ? side.frame(this.world) : { ...this.facts.empty }));
    this.tell("frame", { phase: this.phase, sides });
  }
}

// a_beta1 → beta1, of the side with this letter.
const ofSide = (values, letter) => Object.fromEntries(
  Object.entries(values).flatMap(([name, value]) => (name.startsWith(`${letter}_`) ? [[name.slice(2), value]] : [])));

// The points to learn, x, y, …; of the reader's own none if there are no modes.
export function worldOf({ worlds, own: ownPoints, std }, name, own) {
  if (name !== ownPoints) return worlds[name];
  if (!own.length) return null;
  const { normal } = random(0), real = new Float32Array(8000);
  for (let i = 0; i < 8000; i++) real[i] = own[(i >> 1) % own.length][i % 2] + std * normal();
  return { real, modes: Float32Array.from(own.flat()), std };
}
