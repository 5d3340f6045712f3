// A dense network of relu layers, the last one linear: its values, its gradients by hand, and Adam.

const cut = (values, mask) => { for (let i = 0; i < values.length; i++) if (mask[i] <= 0) values[i] = 0; };

export class Net {
  #buffers = new Map();

  // sizes: of the input, the hidden layers, the output; space: where all its numbers lie
  constructor(sizes, space) {
    this.sizes = sizes;
    this.space = space;
    this.length = sizes.slice(1).reduce((sum, m, l) => sum + (sizes[l] + 1) * m, 0);
    for (const name of ["weights", "gradient", "mean", "square"]) this[name] = space.zeros(this.length);
    this.layers = this.views(this.weights);
    this.gradients = this.views(this.gradient);
    this.last = this.layers.length;
  }

  // The layers' kernels (a × m) and biases (m) in a row of all weights.
  views(row) {
    let at = 0;
    return this.sizes.slice(1).map((m, l) => {
      const a = this.sizes[l], kernel = row.subarray(at, at + a * m), bias = row.subarray(at + a * m, at + (a + 1) * m);
      at += (a + 1) * m;
      return { kernel, bias, a, m };
    });
  }

  // Glorot's uniform weights, biases of 0, and Adam from its beginning.
  restart({ uniform }) {
    for (const { kernel, bias, a, m } of this.layers) {
      const limit = Math.sqrt(6 / (a + m));
      for (let i = 0; i < kernel.length; i++) kernel[i] = limit * (2 * uniform() - 1);
      bias.fill(0);
    }
    for (const row of [this.gradient, this.mean, this.square]) row.fill(0);
    this.steps = 0;
  }

  // For a name and n rows, a matrix for each size; made once, so that training makes no garbage.
  #rows(name, n) {
    const key = `${name} ${n}`;
    if (!this.#buffers.has(key)) this.#buffers.set(key, this.sizes.map((size) => this.space.zeros(n * size)));
    return this.#buffers.get(key);
  }

  // The values of all layers for x (n × inputs), of which the last are the output. name: of the place that holds them.
  run(x, n, name, layers = this.layers) {
    const values = this.#rows(name, n);
    values[0].set(x);
    layers.forEach(({ kernel, bias, a, m }, l) => {
      const out = values[l + 1];
      this.space.product(out, values[l], n, a, a, 1, kernel, m, false);
      const linear = l === layers.length - 1;
      for (let i = 0, at = 0; i < n; i++) {
        for (let j = 0; j < m; j++, at++) {
          const value = out[at] + bias[j];
          out[at] = linear || value > 0 ? value : 0;
        }
      }
    });
    return values;
  }

  // From slopes of the output (n × outputs) to those of all layers, the input's first.
  back(values, slopes, n, name) {
    const found = this.#rows(`${name}, back`, n);
    found[this.last].set(slopes);
    for (let l = this.last - 1; l >= 0; l--) {
      const { kernel, a, m } = this.layers[l], turned = this.#turned(l, kernel, a, m);
      this.space.product(found[l], found[l + 1], n, m, m, 1, turned, a, false);
      if (l) cut(found[l], values[l]);
    }
    return found;
  }

  #turned(l, kernel, a, m) {
    if (!this.#buffers.has(l)) this.#buffers.set(l, this.space.zeros(a * m));
    const turned = this.#buffers.get(l);
    for (let k = 0; k < a; k++) for (let j = 0; j < m; j++) turned[j * a + k] = kernel[k * m + j];
    return turned;
  }

  // Adds to the gradient what the slopes of all layers, as `back` gives them, make of these values.
  learn(values, slopes, n) {
    this.gradients.forEach(({ kernel, bias, a, m }, l) => {
      this.space.product(kernel, values[l], a, n, 1, a, slopes[l + 1], m, true);
      for (let at = 0, i = 0; i < n; i++) for (let j = 0; j < m; j++) bias[j] += slopes[l + 1][at++];
    });
  }

  // Adds to the gradient that of the sum of up (n × inputs) times the input's slopes. relu has no second slope, so the
  // slopes of all layers, with an output's slope of 1, are linear in each kernel.
  learnSlopes(values, slopes, up, n) {
    const ahead = this.#rows("forth", n);
    ahead[0].set(up);
    this.gradients.forEach(({ kernel, a, m }, l) => {
      this.space.product(kernel, ahead[l], a, n, 1, a, slopes[l + 1], m, true);
      if (l === this.last - 1) return;
      this.space.product(ahead[l + 1], ahead[l], n, a, a, 1, this.layers[l].kernel, m, false);
      cut(ahead[l + 1], values[l + 1]);
    });
  }

  // A step of Adam (Kingma and Ba, 2015) against the gradient, which is then 0.
  adam(rate, beta1) {
    const { weights, gradient, mean, square } = this, t = ++this.steps;
    const scaled = rate * Math.sqrt(1 - 0.999 ** t) / (1 - beta1 ** t);
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i];
      mean[i] += (1 - beta1) * (g - mean[i]);
      square[i] += 0.001 * (g * g - square[i]);
      weights[i] -= scaled * mean[i] / (Math.sqrt(square[i]) + 1e-7);
    }
    gradient.fill(0);
  }
}
