"""Classic wrong answers to every task of the assignments: {assignment: {task: [Wrong]}}.

change: pairs of old and new text in the teacher's solution. points: what both test cells together give. hint: what the
student reads in the visible tests' message, or in that of the hidden ones where the visible ones cannot tell.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    name: str
    change: tuple
    points: float
    hint: str

    def source(self, solution):
        for old, new in zip(self.change[::2], self.change[1::2]):
            assert old in solution, f"{self.name}: {old!r} is not in the solution"
            solution = solution.replace(old, new)
        return solution


def wrong(name, points, hint, *change):
    return Wrong(name, change, points, hint)


WRONG = {
    "01_tasks": {
        "psnr": [
            wrong("natural logarithm", 0, "natural logarithm", "np.log10", "np.log"),
            wrong(
                "root of the MSE",
                0,
                "half of the right one",
                "np.mean((clean - cleaned) ** 2)",
                "np.mean((clean - cleaned) ** 2) ** 0.5",
            ),
            wrong("sign", 0, "sign is turned round", "1 / mse", "mse"),
            wrong("sum for mean", 0, "the sum over the pixels", "np.mean", "np.sum"),
            wrong(
                "absolute differences",
                0,
                "absolute differences",
                "np.mean((clean - cleaned) ** 2)",
                "np.mean(np.abs(clean - cleaned))",
            ),
        ],
        "corrupt": [
            wrong("a generator of its own", 2, "from every generator", "rng.normal", "np.random.default_rng(0).normal"),
            wrong("NumPy's generator", 2, "with the same seed", "rng.normal", "np.random.normal"),
            wrong(
                "not clipped",
                2,
                "not clipped",
                "np.clip(x + rng.normal(0, sigma, x.shape), 0, 1)",
                "x + rng.normal(0, sigma, x.shape)",
            ),
            wrong("variance for deviation", 0, "not the variance", "(0, sigma", "(0, sigma ** 0.5"),
            wrong("the same noise for all images", 0, "all images get the same noise", "x.shape)", "x.shape[1])"),
            wrong(
                "uniform noise",
                0,
                "uniform, not Gaussian",
                "rng.normal(0, sigma, x.shape)",
                "sigma * rng.random(x.shape)",
            ),
            wrong(
                "changes its input",
                2,
                "the images that you were given",
                "return np.clip(",
                "x[:] = np.clip(",
                ", 0, 1)",
                ", 0, 1)\n    return x.copy()",
            ),
        ],
        "pairs": [
            wrong("noisy to noisy", 0, "copy the noise", "noisy, x", "noisy, noisy"),
            wrong("clean to noisy", 0, "add noise", "return noisy, x", "return x, noisy"),
            wrong("clean to clean", 0, "never sees noise", "return noisy, x", "return x, x"),
        ],
        "auroc": [
            wrong(
                "turned round", 0, "turned round", "odd[:, None] - normal[None, :]", "normal[None, :] - odd[:, None]"
            ),
            wrong("ties count nothing", 1, "ties count nothing", "+ 0.5", "+ 0"),
            wrong("ties count in full", 1, "ties count in full", "+ 0.5", "+ 1"),
            wrong("against the mean", 0, "compare every pair", "odd[:, None] - normal[None, :]", "odd - normal.mean()"),
        ],
    },
    "02_pretraining": {
        "few_labels": [
            wrong(
                "a window that moves with the seed",
                2,
                "side by side",
                "rng.choice(np.flatnonzero(labels == c), per_class, replace=False)",
                "np.roll(np.flatnonzero(labels == c), -seed)[:per_class]",
            ),
            wrong("a seed of its own", 2, "the same images with every seed", "default_rng(seed)", "default_rng(1)"),
            wrong("no seed", 2, "with the same seed", "default_rng(seed)", "default_rng()"),
            wrong("with replacement", 0, "drawn twice", "replace=False", "replace=True"),
            wrong(
                "not by class",
                0,
                "of each class",
                "[rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in np.unique(labels)]",
                "[rng.choice(len(labels), per_class * len(np.unique(labels)), replace=False)]",
            ),
            wrong(
                "the first ones",
                2,
                "draw at random",
                "rng.choice(np.flatnonzero(labels == c), per_class, replace=False)",
                "np.flatnonzero(labels == c)[:per_class]",
            ),
            wrong("too few", 0, "one of each class", "per_class, replace", "max(1, per_class // 3), replace"),
        ],
        "classifier": [
            wrong("decoder for encoder", 0, "the decoder takes a code", "layers[0]", "layers[1]"),
            wrong("not frozen", 2, "not frozen", "trainable = False", "trainable = True"),
            wrong("no softmax", 0, "softmax", ', activation="softmax"', ""),
            wrong("no new layer", 0, "no new layer", ', layers.Dense(classes, activation="softmax")', ""),
        ],
        "pseudo_labels": [
            wrong("no threshold", 0, "not sure", ">= threshold", ">= 0"),
            wrong("turned round", 0, "turn the comparison round", ">= threshold", "< threshold"),
            wrong("strictly above", 1, "at the threshold counts", ">= threshold", "> threshold"),
            wrong("probability for class", 0, "not the class", "argmax(axis=1)", "max(axis=1)"),
        ],
        "break_even": [
            wrong(
                "position for size",
                0,
                "the position",
                "(size for size, g in zip(sizes, gain)",
                "(i for i, g in enumerate(gain)",
            ),
            wrong("first that gains", 0, "the first size that gains", "g <= 0", "g > 0"),
            wrong("one seed is enough", 0, "one seed is enough", ".mean(axis=0)", ".min(axis=0)"),
            wrong("all seeds must agree", 0, "all seeds must agree", ".mean(axis=0)", ".max(axis=0)"),
        ],
    },
    "03_evaluation": {
        "neighbour": [
            wrong("the share that is wrong", 0, "the share that is wrong", "== test_labels", "!= test_labels"),
            wrong(
                "scalar product",
                0,
                "scalar product",
                "((test[:, None, :] - train[None, :, :]) ** 2).sum(axis=2)",
                "-test @ train.T",
            ),
            wrong("number for share", 0, "not their share", "np.mean", "np.sum"),
            wrong(
                "on the training codes",
                0,
                "each is its own neighbour",
                "np.mean(labels[distances.argmin(axis=1)] == test_labels)",
                "np.mean(labels == labels)",
            ),
        ],
        "rank_correlation": [
            wrong("values for ranks", 0, "not of their ranks", "np.argsort(np.argsort(values))", "values"),
            wrong("order for ranks", 0, "apply it twice", "np.argsort(np.argsort(values))", "np.argsort(values)"),
            wrong("one column from above", 0, "turned round", "*ranks)", "ranks[0], -ranks[1])"),
            wrong("the whole matrix", 0, "whole matrix", "[0, 1]\n", "\n"),
        ],
        "shift_error": [
            wrong(
                "what leaves comes back",
                0,
                "comes back on the left",
                "shifted = np.zeros_like(image)",
                "shifted = np.roll(image, 1, axis=1)",
                "    shifted[:, 1:] = image[:, :-1]\n",
                "",
            ),
            wrong("to the left", 0, "to the left", "shifted[:, 1:] = image[:, :-1]", "shifted[:, :-1] = image[:, 1:]"),
            wrong("down", 0, "shifted down", "shifted[:, 1:] = image[:, :-1]", "shifted[1:] = image[:-1]"),
            wrong("sum for mean", 0, "the sum, not the mean", "np.mean", "np.sum"),
        ],
        "sparsity": [
            wrong("mean over the units", 1, "sum over them", "terms.sum()", "terms.mean()"),
            wrong("wrong axis", 0, "average each unit over the images", "mean(axis=0)", "mean(axis=1)"),
            wrong(
                "exchanged",
                1,
                "exchanged",
                "target * np.log(target / mean) + (1 - target) * np.log((1 - target) / (1 - mean))",
                "mean * np.log(mean / target) + (1 - mean) * np.log((1 - mean) / (1 - target))",
            ),
            wrong("only half", 1, "second half is missing", " + (1 - target) * np.log((1 - target) / (1 - mean))", ""),
        ],
    },
    "04_under_overcomplete": {
        "pca": [
            wrong("not centred", 0, "not centred", "train.mean(axis=0)", "0 * train.mean(axis=0)"),
            wrong("mean not added", 0, "not added again", "components + mean", "components"),
            wrong(
                "components of the test images",
                0,
                "components of the test images",
                "train.mean",
                "test.mean",
                "(train",
                "(test",
                "def pca(test, test",
                "def pca(train, test",
            ),
            wrong("no limit", 0, "all components", "[2][:k]", "[2]"),
            wrong("the code", 0, "the code, not the image", "components.T @ components + mean", "components.T"),
        ],
        "missed": [
            wrong("bias forgotten", 1, "bias was forgotten", "(x - b)", "x", "W + b - x", "W - x"),
            wrong("one number", 0, "one number for all images", "mean(axis=1)", "mean()"),
            wrong("sum for mean", 1, "the sum over the pixels", "mean(axis=1)", "sum(axis=1)"),
            wrong(
                "transpose for inverse",
                0,
                "is not the best code",
                "np.linalg.lstsq(W.T, (x - b).T, rcond=None)[0].T",
                "(x - b) @ W.T",
            ),
        ],
        "l1": [
            wrong("mean over the units", 0, "sum over them", ".sum(axis=1).mean()", ".mean()"),
            wrong("sum over the batch", 0, "average over it", ".sum(axis=1).mean()", ".sum()"),
            wrong("no absolute values", 0, "cancel", "np.abs(code)", "code"),
            wrong("squares", 0, "that is L2", "np.abs(code)", "np.square(code)"),
        ],
        "dropout": [
            wrong("a generator of its own", 2, "from every generator", "rng.random", "np.random.default_rng(0).random"),
            wrong("NumPy's generator", 2, "with the same seed", "rng.random", "np.random.random"),
            wrong("not scaled", 1, "the expected code shrinks", " / (1 - rate)", ""),
            wrong(
                "the share that is kept",
                1,
                "rate is the share that is dropped",
                ">= rate",
                "< rate",
                "(1 - rate)",
                "rate",
            ),
            wrong("whole codes", 2, "whole codes", "rng.random(code.shape)", "rng.random((len(code), 1))"),
            wrong(
                "the same units", 2, "same units for all images", "rng.random(code.shape)", "rng.random(code.shape[1])"
            ),
        ],
    },
    "05_tied_weights": {
        "tied": [
            wrong("not transposed", 0, "is W transposed?", "ops.transpose(self.tied_to.kernel)", "self.tied_to.kernel"),
            wrong(
                "no bias",
                2,
                "there is no bias",
                'self.bias = self.add_weight(shape=(self.tied_to.kernel.shape[0],), initializer="zeros")',
                "self.bias = 0.0",
            ),
            wrong(
                "a copy of the kernel",
                2,
                "a copy of the kernel",
                "    def call",
                "        self.copy = ops.transpose(ops.convert_to_numpy(self.tied_to.kernel))\n\n    def call",
                "ops.transpose(self.tied_to.kernel)",
                "self.copy",
            ),
            wrong("activation forgotten", 2, "the activation was forgotten", "self.activation(", "("),
        ],
        "count": [
            wrong(
                "biases halved too",
                0,
                "halved with the biases",
                "return kernels * (1 if tied else 2) + biases",
                "return (2 * kernels + biases) / (2 if tied else 1)",
            ),
            wrong("no biases", 0, "the biases were forgotten", " + biases", ""),
            wrong("no biases in the decoder", 0, "the decoder's biases were forgotten", " + sum(sizes[:-1])", ""),
            wrong("exchanged", 0, "exchanged", "1 if tied else 2", "2 if tied else 1"),
        ],
        "partner": [
            wrong("the same order", 0, "not turned round", "n - i + 1", "i"),
            wrong("from zero", 0, "one too few", "n - i + 1", "n - i"),
            wrong("one too many", 0, "one too many", "n - i + 1", "n - i + 2"),
        ],
        "vanishing": [
            wrong(
                "turned round",
                0,
                "turned round",
                "ops.norm(first) / ops.norm(last)",
                "ops.norm(last) / ops.norm(first)",
            ),
            wrong(
                "squares",
                0,
                "take the root",
                "ops.norm(first) / ops.norm(last)",
                "(ops.norm(first) / ops.norm(last)) ** 2",
            ),
            wrong("biases", 0, "gradients of the biases", ".kernel", ".bias"),
            wrong(
                "largest entries",
                0,
                "largest entries",
                "ops.norm(first) / ops.norm(last)",
                "ops.max(ops.abs(first)) / ops.max(ops.abs(last))",
            ),
        ],
    },
    "06_vae": {
        "kl": [
            wrong("NumPy, without gradients", 2, "no gradient passes", "ops.", "np."),
            wrong("mean for sum", 0, "averaged over the latent axes", "ops.sum(terms", "ops.mean(terms"),
            wrong("forgotten half", 0, "the ½ is missing", "axis=-1) / 2", "axis=-1)"),
            wrong("wrong axis", 0, "one number for the whole batch", ", axis=-1)", ")"),
            wrong("sign", 0, "a divergence is never negative", "return ops", "return -ops"),
        ],
        "reconstruction": [
            wrong(
                "NumPy, without gradients",
                2,
                "no gradient passes",
                "ops.softplus(logits)",
                "np.logaddexp(0, logits)",
                "ops.sum",
                "np.sum",
            ),
            wrong("mean for sum", 0, "averaged over the pixels", "ops.sum(pixels", "ops.mean(pixels"),
            wrong("sign", 0, "turn the sign round", "return ops", "return -ops"),
            wrong(
                "squared error",
                0,
                "belongs to a Gaussian",
                "ops.softplus(logits) - x * logits",
                "(x - ops.sigmoid(logits)) ** 2",
            ),
            wrong(
                "clipped probabilities",
                2,
                "clipped where the logits are large",
                "ops.softplus(logits) - x * logits",
                "-x * ops.log(ops.sigmoid(logits) + 1e-7) - (1 - x) * ops.log(1 - ops.sigmoid(logits) + 1e-7)",
            ),
        ],
        "sampling": [
            wrong("variance for deviation", 1, "take its square root", "log_variance / 2", "log_variance"),
            wrong("log variance for deviation", 0, "the logarithm of σ²", "ops.exp(log_variance / 2)", "log_variance"),
            wrong("no noise", 0, "no noise", "return mean + ops.exp(log_variance / 2) * noise", "return mean + 0"),
            wrong(
                "one noise for all axes", 2, "same noise for every axis", "ops.shape(mean)", "(ops.shape(mean)[0], 1)"
            ),
            wrong(
                "gradient stopped",
                2,
                "no gradient reaches the log variance",
                "ops.exp(log_variance / 2)",
                "ops.stop_gradient(ops.exp(log_variance / 2))",
            ),
        ],
        "bound": [
            wrong(
                "NumPy, without gradients",
                2,
                "no gradient passes",
                'ops.logsumexp(log_weights, axis=-1) - ops.log(ops.cast(k, "float32"))',
                "np.logaddexp.reduce(log_weights, axis=-1) - np.log(k)",
            ),
            wrong(
                "mean of the logarithms",
                0,
                "that is the ELBO",
                'ops.logsumexp(log_weights, axis=-1) - ops.log(ops.cast(k, "float32"))',
                "ops.mean(log_weights, axis=-1)",
            ),
            wrong("sum for mean", 0, "log k is too much", ' - ops.log(ops.cast(k, "float32"))', ""),
            wrong("sign of log k", 0, "must be subtracted", "- ops.log", "+ ops.log"),
            wrong(
                "underflow",
                2,
                "infinite or not a number",
                "ops.logsumexp(log_weights, axis=-1)",
                "ops.log(ops.sum(ops.exp(log_weights), axis=-1))",
            ),
        ],
    },
    "07_gan": {
        "discriminator_loss": [
            wrong(
                "NumPy, without gradients", 1, "no gradient passes", "ops.softplus(", "np.logaddexp(0, ", "ops.", "np."
            ),
            wrong(
                "labels exchanged",
                0,
                "labels are exchanged",
                "-real_logits",
                "real_logits",
                "ops.softplus(fake_logits)",
                "ops.softplus(-fake_logits)",
            ),
            wrong(
                "generated ones missing",
                0,
                "generated images are missing",
                " + ops.mean(ops.softplus(fake_logits))",
                "",
            ),
            wrong("all labelled real", 0, "labelled 1 too", "ops.softplus(fake_logits)", "ops.softplus(-fake_logits)"),
            wrong("sum for mean", 0, "the sum over the batch", "ops.mean", "ops.sum"),
        ],
        "generator_loss": [
            wrong(
                "NumPy, without gradients", 1, "no gradient passes", "ops.softplus(", "np.logaddexp(0, ", "ops.", "np."
            ),
            wrong(
                "minimax",
                0,
                "the minimax form",
                "ops.mean(ops.softplus(-fake_logits))",
                "-ops.mean(ops.softplus(fake_logits))",
            ),
            wrong("the discriminator's", 0, "wants the label 1", "-fake_logits", "fake_logits"),
            wrong("sum for mean", 0, "the sum over the batch", "ops.mean", "ops.sum"),
        ],
        "generator_step": [
            wrong(
                "trainable discriminator",
                1,
                "the discriminator was trained too",
                "generator.trainable_variables\n",
                "generator.trainable_variables + discriminator.trainable_variables\n",
            ),
            wrong(
                "the wrong network",
                0,
                "the discriminator was trained too",
                "weights = generator",
                "weights = discriminator",
            ),
            wrong(
                "maximises",
                0,
                "got worse",
                "zip(tape.gradient(loss, weights), weights)",
                "[(-g, w) for g, w in zip(tape.gradient(loss, weights), weights)]",
            ),
            wrong(
                "no step",
                0,
                "no weight of the generator has changed",
                "    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))\n",
                "",
            ),
        ],
        "condition": [
            wrong(
                "label as a number",
                0,
                "as if 3 were more than 2",
                "ops.one_hot(labels, classes)",
                'ops.cast(labels, "float32")[:, None]',
            ),
            wrong(
                "label first",
                0,
                "label first",
                "[z, ops.one_hot(labels, classes)]",
                "[ops.one_hot(labels, classes), z]",
            ),
            wrong(
                "only the classes that occur",
                1,
                "place for each label that occurs",
                "labels, classes)]",
                "labels, int(max(labels)) + 1)]",
            ),
            wrong("no noise", 0, "the one-hot code alone", "[z, ops", "[ops"),
        ],
    },
    "08_gan_difficulties": {
        "modes": [
            wrong(
                "every nearest mode",
                1,
                "only samples of high quality count",
                ".argmin(axis=1)[good]",
                ".argmin(axis=1)",
            ),
            wrong("one standard deviation", 0, "not three", "3 * std", "std"),
            wrong("samples for modes", 0, "not of modes", "len(set(distance.argmin(axis=1)[good]))", "good.sum()"),
            wrong("number for share", 0, "not their share", "good.mean()", "good.sum()"),
            wrong("squared distance", 0, "squared distance", "distance.min(axis=1)", "distance.min(axis=1) ** 2"),
        ],
        "frechet": [
            wrong("the 2 forgotten", 0, "the 2 before the root", "- 2 * sqrtm", "- sqrtm"),
            wrong("not squared", 1, "must be squared", "gap + np", "gap**0.5 + np"),
            wrong("root of each element", 0, "root of the matrix", "sqrtm(A @ B).real", "np.sqrt(np.abs(A @ B))"),
            wrong("no means", 1, "the means are missing", "return gap + ", "return "),
        ],
        "interpolate": [
            wrong(
                "a generator of its own", 2, "from every generator", "rng.uniform", "np.random.default_rng(0).uniform"
            ),
            wrong("NumPy's generator", 2, "with the same seed", "rng.uniform", "np.random.uniform"),
            wrong("normal", 0, "from N(0, 1)", "rng.uniform(", "rng.normal("),
            wrong("one for the batch", 1, "one α for the whole batch", "(len(real), 1)", "(1, 1)"),
            wrong("half way", 0, "half way", "rng.uniform(size=(len(real), 1))", "0.5"),
            wrong("one for each pixel", 1, "between the pixels", "(len(real), 1)", "real.shape"),
        ],
        "penalty": [
            wrong(
                "norm of the batch",
                0,
                "take it for each point",
                "ops.norm(tape.gradient(total, x), axis=1)",
                "ops.norm(tape.gradient(total, x))",
            ),
            wrong(
                "the mean first", 1, "square for each point", "ops.mean((norms - 1) ** 2)", "(ops.mean(norms) - 1) ** 2"
            ),
            wrong("R1", 0, "that is R1", "(norms - 1) ** 2", "norms ** 2"),
            wrong("not the root", 0, "take the root", "(norms - 1) ** 2", "(norms ** 2 - 1) ** 2"),
        ],
    },
}
