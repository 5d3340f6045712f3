"""Evidence: the claims of a notebook, what was measured over seeds, and the verdicts that follow from it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from helpers.labs.predictions import Predictions

FEWEST_SEEDS = 5
SHARE = 0.8  # of the seeds that must agree: four of five


def seeds(seed: int, n: int = FEWEST_SEEDS) -> list[int]:
    """n seeds that follow from one, independent of each other and of those that follow from another seed."""
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(n)]


@dataclass(frozen=True)
class Rule:
    """Says yes when four in five seeds pass and their mean does.

    at_least: the effect has its sign, and its mean is at least this large. at_most: the value stays below this bound.
    """

    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    def __post_init__(self):
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a rule needs either at_least or at_most, and not both")
        if self.at_least is not None and self.at_least <= 0:
            raise ValueError(
                "at_least states the smallest effect that counts, so it must be above 0; "
                "turn the effect's sign round for a decrease"
            )

    def agreeing(self, effects: np.ndarray) -> int:
        """How many seeds pass: have the sign of the claim, or stay within the bound."""
        passing = effects > 0 if self.at_least is not None else effects <= self.at_most
        return int((passing & np.isfinite(effects)).sum())

    def says_yes(self, effects: np.ndarray) -> bool:
        """The decision, for effects of shape (seeds,)."""
        mean = effects.mean()
        large = mean >= self.at_least if self.at_least is not None else mean <= self.at_most
        return bool(large and np.isfinite(mean) and self.agreeing(effects) >= SHARE * len(effects))

    def number(self, value: float, sign: str = "") -> str:
        """A value in the rule's unit; shares become percent or percentage points."""
        hundred = self.unit.startswith(("point", "%"))
        value = value * 100 if hundred else value
        digits = 1 if hundred or abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        return f"{value:{sign}.{digits}f}"

    def words(self, effects: np.ndarray) -> str:
        """A measurement in words: `5 of 5 seeds, +6.1 ± 0.9 points`."""
        sign = "+" if self.at_least is not None else ""
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.agreeing(effects)} of {len(effects)} seeds, {self.number(effects.mean(), sign)} "
            f"± {self.number(effects.std(ddof=1))}{unit}"
        )

    def __str__(self):
        bound, word = (self.at_most, "at most") if self.at_least is None else (self.at_least, "at least")
        return f"{word} {self.number(bound)} {self.unit}".strip()


@dataclass(frozen=True)
class Measurement:
    """One case of a claim: its effects over the seeds, its rule, the control on which the rule must say no, and
    perhaps a positive control, on which it must say yes."""

    case: str
    rule: Rule
    effects: np.ndarray
    control: np.ndarray
    control_name: str
    positive: np.ndarray | None = None
    positive_name: str = ""

    @property
    def yes(self) -> bool:
        return self.rule.says_yes(self.effects)

    @property
    def sound(self) -> bool:
        passed = self.positive is None or self.rule.says_yes(self.positive)
        return passed and bool(np.isfinite(self.control).all()) and not self.rule.says_yes(self.control)

    @property
    def controls(self) -> str:
        said = f"no: {self.control_name}, {self.rule.words(self.control)}"
        if self.positive is not None:
            said += f"; yes: {self.positive_name}, {self.rule.words(self.positive)}"
        return said

    def __str__(self):
        controls = self.controls.replace("; yes: ", "\n    must say yes: ")
        return (
            f"{self.case + ': ' if self.case else ''}{self.rule.words(self.effects)}; asked {self.rule} "
            f"→ {'yes' if self.yes else 'no'}\n    must say {controls}"
            + ("" if self.sound else "\n    but the rule fails its control: it decides nothing")
        )


class Claims:
    """The claims of a notebook, {id: sentence}, and their verdicts.

    `measure` records an effect under a claim; `table` shows all; `verdicts` prints a line for each claim.
    """

    def __init__(self, sentences: dict[str, str]):
        self.sentences = dict(sentences)
        self.measurements: dict[str, dict[str, Measurement]] = {number: {} for number in self.sentences}
        self.predicted: Predictions | None = None

    def measure(
        self,
        number: str,
        effects: ArrayLike,
        *,
        control: ArrayLike,
        control_name: str,
        at_least: float | None = None,
        at_most: float | None = None,
        unit: str = "",
        case: str = "",
        positive: ArrayLike | None = None,
        positive_name: str = "",
    ) -> None:
        """Record effects (one for each seed, at least five) of a claim, or of one case of it, and print what they say.

        control: the same effect measured where the rule must say no (another model, or other data); positive: where
        it must say yes. A rule that fails its control decides nothing. unit: a unit that starts with "points" or "%"
        shows shares times 100. Measuring a case again replaces it, so that a cell may run twice. Raises ValueError for
        an unknown number, fewer than five effects, or other than one bound.

            claims.measure("1.1", 1 - error / pca, at_least=0.1, unit="%", control=np.zeros(5), control_name="PCA")
        """
        if number not in self.measurements:
            raise ValueError(f"there is no claim {number!r} here: the claims are {', '.join(self.measurements)}")
        measured, refused, passed = (_seeded(values, number) for values in (effects, control, positive))
        rule = Rule(at_least, at_most, unit)
        found = Measurement(case, rule, measured, refused, control_name, passed, positive_name)
        self.measurements[number][case] = found
        print(number, found)

    def verdict(self, number: str) -> str:
        """`holds`, `fails`, `depends: A does, B does not`, or `undecided: …` where nothing sound was measured."""
        cases = self.measurements[number].values()
        if not cases:
            return "undecided: not measured"
        if not all(m.sound for m in cases):
            return "undecided: the rule fails its control"
        yes, no = [m.case for m in cases if m.yes], [m.case for m in cases if not m.yes]
        if yes and no:
            return f"depends: {_list(yes)} {_does(yes)}, {_list(no)} {_does(no)} not"
        return "holds" if yes else "fails"

    def verdicts(self) -> None:
        """Print the verdicts, a line each: the part of a notebook that must be the same on every machine."""
        for number in self.sentences:
            print(number, self.verdict(number))

    def predict(self) -> "Predictions":
        """Let the reader predict: the claims, each with holds, depends, fails to choose from."""
        from helpers.labs.predictions import Predictions

        self.predicted = Predictions(self.sentences)
        return self.predicted

    def table(self) -> None:
        """Show claims, measurements, controls, verdicts, and predictions where the reader made any, as a table."""
        from IPython.display import Markdown, display

        guesses: dict[str, str] = self.predicted.chosen() if self.predicted else {}
        lines = [
            "| | claim | case | measured | asked | verdict |" + " you said |" * bool(guesses),
            "|---|---|---|---|---|---|" + "---|" * bool(guesses),
        ]
        for number, sentence in self.sentences.items():
            said = f"**{self.verdict(number).partition(':')[0]}** |" + f" {guesses.get(number, '–')} |" * bool(guesses)
            cases = [
                f"{m.case} | {'✓' if m.yes else '✗'} {m.rule.words(m.effects)} | {m.rule}"
                for m in self.measurements[number].values()
            ]
            for i, case in enumerate(cases or [" | not measured | "]):
                head, tail = (f"**{number}** | {sentence}", said) if i == 0 else (" | ", " |" * (1 + bool(guesses)))
                lines.append(f"| {head} | {case} | {tail}")
        display(Markdown("\n".join(lines)))


def _seeded(values, number):
    if values is None:
        return None
    values = np.asarray(values, float)
    if values.ndim != 1:
        raise ValueError(f"values of shape {values.shape} for claim {number}: give one number for each seed")
    if len(values) < FEWEST_SEEDS:
        raise ValueError(f"{len(values)} values for claim {number}: measure at least {FEWEST_SEEDS} seeds")
    return values


def _list(names):
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _does(names):
    return "do" if len(names) > 1 else "does"
