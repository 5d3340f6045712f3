// A side of the arena: a GAN on points in the plane, and what the page is shown of it, as helpers/labs/sides.py has it.
import { GAN } from "./gan.js";
import { Space } from "./product.js";
import { random } from "./random.js";

const GRAPH = ["width", "loss", "cures"];                      // another of these, and a side begins anew

// GAN's settings of a side's values, and what had to be left out.
export function settingsOf({ cures, labelled }, values) {
  const chosen = {
    loss: values.loss, beta1: values.beta1, d_steps: values.d_steps, generator_rate: values.g_rate,
    discriminator_rate: values.d_rate,
  };
  Object.assign(chosen, ...values.cures.map((name) => cures[name] ?? {}));
  if (!chosen.smoothing || labelled.includes(values.loss)) return [chosen, ""];
  return [{ ...chosen, smoothing: 0 }, "no labels to smooth in this loss"];
}

export class Side {
  constructor(facts) {
    const { shown, lattice } = facts;
    Object.assign(this, { facts, step: 0, note: "", space: new Space() });
    this.noise = Float64Array.from([...random(0).normals(2 * shown), ...lattice]);
  }

  // Go over to these settings; a GAN of another width, loss or cure begins anew.
  take(world, values, seed) {
    if (!world) return;
    const [settings, note] = settingsOf(this.facts, values), key = JSON.stringify(GRAPH.map((name) => values[name]));
    if (key !== this.key) {
      this.gan = new GAN(world.real, { width: values.width, batch: this.facts.batch, space: this.space, ...settings });
      this.restart(seed);
    }
    Object.assign(this.gan.settings, settings);
    Object.assign(this, { key, note });
    this.gan.points = world.real;
  }

  restart(seed) {
    this.gan?.restart(seed);
    Object.assign(this, { step: 0, losses: [NaN, NaN], history: [] });
  }

  train(steps, which) {
    const losses = this.gan.train(steps, which);
    this.losses = losses.map((loss, i) => (Number.isNaN(loss) ? this.losses[i] : loss));
    this.step += which === "D" ? 0 : steps;
  }

  frame(world) {
    const { gan, step, note, facts: { shown, reach, kept } } = this, all = gan.samples(this.noise);
    const samples = all.slice(0, 2 * shown), grid = Float32Array.from(all.subarray(2 * shown));
    const found = count(samples, world), [points, pull] = gan.pull(this.noise.subarray(0, 120));
    this.#remember([step, ...this.losses, found.strict, found.quality], kept);
    const beyond = [0, 0, 0, 0];                                                       // left, right, above, below
    for (let i = 0; i < 2 * shown; i += 2) {
      const [x, y] = [samples[i], samples[i + 1]];
      [x < -reach, x > reach, y > reach, y < -reach].forEach((out, k) => { beyond[k] += out / shown; });
    }
    let slope = 0;
    for (let i = 0; i < 120; i += 2) slope += Math.hypot(pull[i], pull[i + 1]) / 60;
    return {
      step, note, building: false, modes: (world.modes?.length ?? 0) / 2, ...found, beyond, slope, grid,
      fake: Float32Array.from([...points, ...samples.subarray(0, 680)]), pull: Float32Array.from(pull),
      field: this.#field(), history: columns(this.history), kept: this.history.length,
    };
  }

  #remember(row, kept) {
    if (this.history.at(-1)?.[0] === row[0]) this.history.pop();
    this.history.push(row);
    if (this.history.length > kept) this.history = this.history.filter((_, i, { length }) => (length - 1 - i) % 2 === 0);
  }

  // What D thinks of each place of the plane, from the top left: 0 generated, 255 real.
  #field() {
    const { gan, facts: { reach, grid: n, labelled } } = this, { loss } = gan.settings, field = new Uint8Array(n * n);
    this.places ??= Float64Array.from({ length: 2 * n * n }, (_, i) => {
      const place = i >> 1, part = (2 * ((i % 2 ? Math.floor(place / n) : place % n) + 0.5)) / n - 1;
      return reach * (i % 2 ? -part : part);
    });
    const values = gan.discriminate(this.places), whole = !labelled.includes(loss);
    const mean = whole ? values.reduce((sum, v) => sum + v, 0) / values.length : 0;
    const spread = whole ? Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) + 1e-9 : 2;
    for (let i = 0; i < field.length; i++) {                   // without labels values mean something beside each other
      const v = values[i];
      field[i] = 255 * (loss === "least squares" ? Math.min(Math.max(v, 0), 1) : 1 / (1 + Math.exp(-2 * (v - mean) / spread)));
    }
    return field;
  }
}

const columns = (rows) => Float32Array.from([0, 1, 2, 3, 4].flatMap((k) => rows.map((row) => row[k])));

// metrics.modes of samples x, y, …; for a curve the share of them that lies within 3 std of some point of it.
export function count(samples, { real, modes, std }) {
  const n = samples.length / 2, near = (i, points, length) => {
    let best = 0, least = Infinity;
    for (let k = 0; k < length; k += 2) {
      const square = (samples[i] - points[k]) ** 2 + (samples[i + 1] - points[k + 1]) ** 2;
      if (square < least) [best, least] = [k / 2, square];
    }
    return [best, Math.sqrt(least) <= 3 * std];
  };
  if (!modes) {
    let good = 0;
    for (let i = 0; i < 600; i += 2) good += near(i, real, 2000)[1];
    return { captured: 0, strict: 0, quality: good / 300 };
  }
  const found = new Array(modes.length / 2).fill(0);
  for (let i = 0; i < 2 * n; i += 2) {
    const [mode, good] = near(i, modes, modes.length);
    if (good) found[mode] += 1;
  }
  const good = found.reduce((sum, held) => sum + held, 0);
  return {
    captured: found.filter((held) => held > 0).length, quality: good / n,
    strict: found.filter((held) => held >= n / found.length / 4).length,
  };
}
