// A GAN on points in the plane, as helpers.gan has it but for what looks ahead, packs, or changes D's layers.
import { Net } from "./net.js";
import { Space } from "./product.js";
import { random } from "./random.js";

const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), sigmoid = (v) => 1 / (1 + Math.exp(-v));
// Of a value of D before any sigmoid: [loss, its slope]. real: D's, for a real sample with the target t; fake: D's, for a
// generated one; g: the generator's.
const entropy = {
  real: (v, t) => [t * softplus(-v) + (1 - t) * softplus(v), sigmoid(v) - t],
  fake: (v) => [softplus(v), sigmoid(v)],
};
export const LOSSES = {
  "minimax": { ...entropy, g: (v) => [-softplus(v), -sigmoid(v)] },
  "non-saturating": { ...entropy, g: (v) => [softplus(-v), sigmoid(v) - 1] },
  "least squares": {
    real: (v, t) => [(v - t) ** 2 / 2, v - t], fake: (v) => [v * v / 2, v], g: (v) => [(v - 1) ** 2 / 2, v - 1],
  },
  "hinge": {
    real: (v) => [Math.max(0, 1 - v), v < 1 ? -1 : 0], fake: (v) => [Math.max(0, 1 + v), v > -1 ? 1 : 0],
    g: (v) => [-v, -1],
  },
  "Wasserstein": { real: (v) => [-v, -1], fake: (v) => [v, 1], g: (v) => [-v, -1] },
};
export const DEFAULTS = {
  loss: "non-saturating", generator_rate: 1e-3, discriminator_rate: 1e-3, beta1: 0.9, d_steps: 1, smoothing: 0, noise: 0,
  noise_steps: 0, replay: 0, r1: 0, penalty: 0, average: 0,
};
export const LATENT = 2;

export class GAN {
  // points: x, y, …; width: of two hidden layers in each network; space: for its numbers alone. settings: as
  // helpers/gan/settings.py explains them.
  constructor(points, { width = 64, batch = 128, space = new Space(), ...settings } = {}) {
    space.clear();
    Object.assign(this, { points, batch, settings: { ...DEFAULTS, ...settings } });
    this.G = new Net([LATENT, width, width, 2], space);
    this.D = new Net([2, width, width, 1], space);
    this.average = space.zeros(this.G.length);
    this.averaged = this.G.views(this.average);
    this.slopes = new Float64Array(batch);
    this.ones = new Float64Array(batch).fill(1);
    this.restart(0);
  }

  restart(seed) {
    this.random = random(seed);
    for (const net of [this.G, this.D]) net.restart(this.random);
    this.average.set(this.G.weights);
    this.old = [];
    return this;
  }

  // So many steps of G, each with those of D before it, or of "D" or "G" alone. Returns the means of D's loss and G's,
  // NaN for one that made no step. Ends with an error where a loss is no finite number, with the weights as before.
  train(steps, which = "both") {
    const kept = [this.G, this.D].flatMap(({ weights, mean, square }) => [weights, mean, square]);
    const before = [...kept, this.average].map((row) => row.slice()), counts = [this.G.steps, this.D.steps];
    const turns = which === "G" ? 0 : this.settings.d_steps;
    let d = NaN, dSum = 0, gSum = 0;
    for (let i = 0; i < steps; i++) {
      for (let k = 0; k < turns; k++) d = this.stepD();
      dSum += d;
      if (which !== "D") gSum += this.stepG();
      if (!Number.isFinite((turns ? d : 0) + gSum)) {
        [...kept, this.average].forEach((row, r) => row.set(before[r]));
        [this.G.steps, this.D.steps] = counts;
        throw new RangeError("the weights left the finite numbers; those before are kept. Try lower learning rates, or a "
          + "bound on the discriminator's slope (gradient penalty).");
      }
    }
    return [turns ? dSum / steps : NaN, which === "D" ? NaN : gSum / steps];
  }

  stepD() {
    const { G, D, batch: n, settings: s } = this, { real: ofReal, fake: ofFake } = LOSSES[s.loss];
    let fake = this.fakes(n);
    if (s.replay) fake = this.#withOld(fake);
    const real = this.#seen(this.#reals(n));
    fake = this.#seen(fake);
    const loss = this.#learn(D, real, (v) => ofReal(v, 1 - s.smoothing), "real", s.r1 && (([x, y]) => [s.r1 * x, s.r1 * y]));
    const other = this.#learn(D, fake, ofFake, "fake");
    if (s.penalty) {
      const between = fake.slice();
      for (let i = 0; i < n; i++) {
        const part = this.random.uniform();
        for (const k of [2 * i, 2 * i + 1]) between[k] = real[k] + part * (fake[k] - real[k]);
      }
      this.#learnSlopes(D.run(between, n, "between"), ([x, y]) => {
        const length = Math.sqrt(x * x + y * y + 1e-12), pull = 2 * s.penalty * (length - 1) / length;
        return [pull * x, pull * y];
      });
    }
    D.adam(s.discriminator_rate, s.beta1);
    return loss + other;
  }

  // Adds to D's gradient that of the mean of a loss over x, and returns the mean.
  #learn(D, x, lossOf, name, bound) {
    const { batch: n } = this, values = D.run(x, n, name), mean = this.#judge(values, lossOf);
    D.learn(values, D.back(values, this.slopes, n, name), n);
    if (bound) this.#learnSlopes(values, bound);
    return mean;
  }

  // The mean of a loss over what D has said, of which `slopes` then holds the slopes.
  #judge(values, lossOf) {
    const { D, batch: n, slopes } = this;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const [loss, slope] = lossOf(values[D.last][i]);
      sum += loss;
      slopes[i] = slope / n;
    }
    return sum / n;
  }

  // Adds to D's gradient that of the mean of a function of D's slopes, which `of` gives the gradient of.
  #learnSlopes(values, of) {
    const { D, batch: n, ones } = this, slopes = D.back(values, ones, n, "slopes"), up = new Float64Array(2 * n);
    for (let i = 0; i < 2 * n; i += 2) {
      const [x, y] = of([slopes[0][i], slopes[0][i + 1]]);
      up[i] = x / n;
      up[i + 1] = y / n;
    }
    D.learnSlopes(values, slopes, up, n);
  }

  stepG() {
    const { G, D, batch: n, settings: s } = this;
    const made = G.run(this.random.normals(LATENT * n), n, "made"), seen = this.#seen(made[G.last]);
    const values = D.run(seen, n, "judged"), mean = this.#judge(values, LOSSES[s.loss].g);
    G.learn(made, G.back(made, D.back(values, this.slopes, n, "judged")[0], n, "made"), n);
    G.adam(s.generator_rate, s.beta1);
    if (s.average) {
      const { average } = this, { weights } = G;
      for (let i = 0; i < average.length; i++) average[i] -= (1 - s.average) * (average[i] - weights[i]);
    }
    return mean;
  }

  fakes(n) { return this.G.run(this.random.normals(LATENT * n), n, "fakes")[this.G.last].slice(); }

  #reals(n) {
    const { points } = this, x = new Float64Array(2 * n);
    for (let i = 0; i < 2 * n; i += 2) {
      const row = 2 * this.random.below(points.length / 2);
      x[i] = points[row];
      x[i + 1] = points[row + 1];
    }
    return x;
  }

  // What D sees: with noise that fades as G learns.
  #seen(x) {
    const { noise, noise_steps } = this.settings, left = noise_steps ? Math.max(0, 1 - this.G.steps / noise_steps) : 1;
    return noise * left ? x.map((value) => value + noise * left * this.random.normal()) : x;
  }

  // Half of the fakes from a store of old ones, where the other half takes their place.
  #withOld(fake) {
    const half = this.batch >> 1, { replay } = this.settings, full = this.old.length >= 2 * replay;
    if (!full) {
      this.old.push(...fake.subarray(0, 2 * half));
      return fake;
    }
    for (let i = 0; i < 2 * half; i += 2) {
      const row = 2 * this.random.below(replay);
      for (const k of [0, 1]) [fake[i + k], this.old[row + k]] = [this.old[row + k], fake[i + k]];
    }
    return fake;
  }

  // Samples (n × 2) of inputs z (n × 2), by the averaged weights if there are any.
  samples(z) {
    const layers = this.settings.average ? this.averaged : this.G.layers;
    return this.G.run(z, z.length / LATENT, "samples", layers)[this.G.last];
  }

  // D's values of x (n × 2), before a sigmoid.
  discriminate(x) { return this.D.run(x, x.length / 2, "asked")[this.D.last]; }

  // Samples of z, and for each the direction in which the generator's loss falls, with its slope as length.
  pull(z) {
    const n = z.length / LATENT, points = this.samples(z).slice(), values = this.D.run(points, n, "pulled");
    const slopes = Float64Array.from(values[this.D.last], (v) => -LOSSES[this.settings.loss].g(v)[1]);
    return [points, this.D.back(values, slopes, n, "pulled")[0].slice()];
  }
}
