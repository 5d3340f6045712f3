"""The GAN that trains in a page: its gradients are the finite differences' and helpers.gan's, its runs end alike."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import mannwhitneyu

from helpers import gan, metrics
from helpers.gan import steps
from helpers.labs import recipes, sides
from helpers.site import arena
from helpers.site.labs import modules

KINDS = [
    *({"loss": loss} for loss in gan.LOSSES),
    {"smoothing": 0.1},
    {"r1": 0.7},
    {"loss": "Wasserstein", "penalty": 1.3},
]
BATCH, WIDTH = 8, 6
# By central differences of a step's whole loss, with the penalties' own formulas; the step's random numbers stay alike.
DIFFERENCES = """async ([settings, name]) => {
  const { GAN } = await import(answers.urlOf("gan.js")), { random } = await import(answers.urlOf("random.js"));
  const n = 8, gan = new GAN(random(5).normals(80), { width: 6, batch: n, ...settings }), net = gan[name], at = {};
  const run = gan.D.run.bind(gan.D);
  gan.D.run = (x, n, place) => { at[place] = x; return run(x, n, place); };
  let found = null;
  net.adam = () => { found = net.gradient.slice(); net.gradient.fill(0); };
  const lengths = (place) => {
    const slopes = gan.D.back(run(at[place], n, "again"), new Float64Array(n).fill(1), n, "again")[0];
    return Array.from({ length: n }, (_, i) => Math.hypot(slopes[2 * i], slopes[2 * i + 1]));
  };
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / n;
  const loss = () => {
    gan.random = random(9);
    let sum = gan[`step${name}`]();
    if (name === "D" && settings.r1) sum += settings.r1 / 2 * mean(lengths("real").map((l) => l ** 2));
    if (name === "D" && settings.penalty) sum += settings.penalty * mean(lengths("between").map((l) => (l - 1) ** 2));
    return sum;
  };
  loss();
  const ours = found.slice(), h = 1e-6;
  const differences = Array.from(net.weights, (old, i) => {
    const [up, down] = [h, -h].map((by) => { net.weights[i] = old + by; return loss(); });
    net.weights[i] = old;
    return (up - down) / 2 / h;
  });
  return [Math.max(...differences.map((d, i) => Math.abs(d - ours[i]))), Math.max(...differences.map(Math.abs))];
}"""
# The gradient of D's step, or of G's, at given weights, for given samples and random numbers.
GRADIENT = """async ([settings, name, weights, real, fake, z, parts]) => {
  const { GAN } = await import(answers.urlOf("gan.js"));
  const n = 8, gan = new GAN(Float64Array.from(real), { width: 6, batch: n, ...settings });
  gan.G.weights.set(weights[0]);
  gan.D.weights.set(weights[1]);
  gan.fakes = () => Float64Array.from(fake);
  let row = 0;
  gan.random = { normals: () => Float64Array.from(z), below: () => row++, uniform: () => parts.shift() };
  let found = null;
  gan[name].adam = () => { found = Array.from(gan[name].gradient); };
  const loss = gan[`step${name}`]();
  return [loss, found];
}"""
ADAM = """async ([weights, gradients, rate, beta1]) => {
  const { Net } = await import(answers.urlOf("net.js")), { Space } = await import(answers.urlOf("product.js"));
  const net = new Net([1, 2, 1], new Space());
  net.restart({ uniform: () => 0 });
  net.weights.set(weights);
  for (const gradient of gradients) { net.gradient.set(gradient); net.adam(rate, beta1); }
  return Array.from(net.weights);
}"""
HELD = """async ([points, modes, std, width, batch, settings, steps, seeds]) => {
  const { GAN } = await import(answers.urlOf("gan.js")), { count } = await import(answers.urlOf("side.js"));
  const { random } = await import(answers.urlOf("random.js"));
  const gan = new GAN(Float64Array.from(points), { width, batch, ...settings });
  return seeds.map((seed) => {
    gan.restart(seed).train(steps);
    return count(gan.samples(random(seed + 1000).normals(5000)), { modes, std }).strict;
  });
}"""


@pytest.fixture(scope="module")
def script(page):
    """script(code, arguments): runs it in a page that has the site's modules."""
    page.goto("about:blank")
    page.add_script_tag(content=modules())
    return page.evaluate


@pytest.mark.parametrize("name", ["D", "G"])
@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_gradients_are_those_of_finite_differences(script, settings, name):
    worst, largest = script(DIFFERENCES, [settings, name])
    assert worst < 1e-7 * max(1, largest) and largest > 1e-3


def flat(weights):
    return np.concatenate([np.ravel(weight) for weight in weights])


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_gradients_are_those_of_the_kernels_gan(script, settings):
    rng = np.random.default_rng(0)
    real = rng.normal(size=(BATCH, 2)).astype("f4")
    model = gan.GAN(real, width=WIDTH, batch=BATCH, **settings).restart(3)
    fed = {name: tf.constant(value, tf.float32) for name, value in model.settings.fed.items()}
    seed, z = tf.constant([3, 16]), rng.normal(size=(BATCH, 2)).astype("f4")
    weights = [flat(v.numpy() for v in net.trainable_variables) for net in model.game.networks]
    fake = model.generator(z).numpy()
    parts = tf.random.stateless_uniform((BATCH,), seed + [0, 5]).numpy() if settings.get("penalty") else np.zeros(BATCH)
    sent = [weights[0].tolist(), weights[1].tolist()], real.ravel().tolist(), fake.ravel().tolist()

    with tf.GradientTape() as tape:
        values, slopes = steps.values_and_slopes(model.game, tf.constant(real))
        loss = steps.discriminator_loss(model.game, values, model.discriminator(fake, training=True), fed)
        total = loss + steps.penalties(model.game, tf.constant(real), tf.constant(fake), slopes, seed, fed)
    wanted = flat(tape.gradient(total, model.discriminator.trainable_variables))
    said, found = script(GRADIENT, [settings, "D", *sent, z.ravel().tolist(), parts.tolist()])
    assert said == pytest.approx(loss.numpy(), abs=1e-5)
    np.testing.assert_allclose(found, wanted, atol=2e-6, rtol=2e-5)

    with tf.GradientTape() as tape:
        loss = steps.generator_loss(model.game, model.discriminator(model.generator(z, training=True), training=True))
    wanted = flat(tape.gradient(loss, model.generator.trainable_variables))
    said, found = script(GRADIENT, [settings, "G", *sent, z.ravel().tolist(), []])
    assert said == pytest.approx(loss.numpy(), abs=1e-5)
    np.testing.assert_allclose(found, wanted, atol=2e-6, rtol=2e-5)


def test_adam_is_the_kernels(script):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=7).astype("f4"), rng.normal(size=(5, 7)).astype("f4")
    weights, moments = [tf.constant(start)], (tf.zeros(7), tf.zeros(7))
    for step, gradient in enumerate(gradients, 1):
        weights, moments = steps.adam(weights, [gradient], moments, tf.constant(step), 0.01, 0.5)
    found = script(ADAM, [start.tolist(), gradients.tolist(), 0.01, 0.5])
    np.testing.assert_allclose(found, weights[0].numpy(), atol=1e-5)


@pytest.mark.sweep
@pytest.mark.parametrize("recipe", recipes.RECIPES)
def test_its_runs_hold_as_many_modes_as_the_kernels(script, recipe):
    steps_, points, found = recipes.RECIPES[recipe].stop, recipes.world("ring"), {}
    world = [points.x.ravel().tolist(), points.modes.ravel().tolist(), float(points.std)]
    for letter in "ab":
        values = recipes.of_side(recipes.recipe(recipe), letter)
        settings, width = recipes.settings(values)[0], values["width"]
        model = gan.GAN(points.x, copies=10, width=width, batch=sides.BATCH, **settings).restart(1)
        model.train(steps_)
        kernel = [metrics.modes(samples, points.modes, points.std)["strict"] for samples in model.generate(2500)]
        held = script(HELD, [*world, width, sides.BATCH, settings, steps_, list(range(1, 11))])
        assert mannwhitneyu(held, kernel).pvalue > 0.01, (letter, held, kernel)
        found[letter] = held
    if recipe == "vanishing gradient":  # which looks at the pull; G is not to move
        assert max(found["a"] + found["b"]) <= 1
    else:
        assert mannwhitneyu(found["a"], found["b"]).pvalue < 0.01, "ten runs do not tell the failure from its cure"


def test_the_page_offers_what_its_gan_has():
    state = arena.state()
    offered = {row["name"]: row["options"] for row in state["rows"] if row["name"].endswith("_cures")}
    assert set(offered["a_cures"]) == set(state["trainer"]["cures"]) == set(recipes.CURES) - set(arena.LACKING)
    for name, recipe in state["facts"]["recipes"].items():
        assert set(recipe["values"]["a_cures"]) | set(recipe["values"]["b_cures"]) <= set(offered["a_cures"]), name
