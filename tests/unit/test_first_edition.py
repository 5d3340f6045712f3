"""helpers.first_edition: its rule against hand-made effects, the controls' veto, and the words of a verdict."""

import re

import numpy as np
import pytest

from helpers.first_edition import Claims, Rule, seeds

ALL, NONE = [0.2] * 5, [0.0] * 5  # effects for which "at least 0.1" says yes, and no


@pytest.fixture
def claims():
    return Claims({"4.1": "Small codes lose.", "4.2": "Linear is PCA."})


def measured(claims, number="4.1", effects=ALL, control=NONE, at_least=0.1, **options):
    """Measure with defaults that hold; returns the verdict."""
    if "at_most" in options:
        at_least = None
    claims.measure(number, effects, control=control, control_name="untrained", at_least=at_least, **options)
    return claims.verdict(number)


def shown(claims):
    """The markdown that `table` displays, as lists of cells."""
    outputs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", outputs.append)
        claims.table()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in outputs[0].data.splitlines()]


# Seeds --------------------------------------------------------------------------------------------------------


def test_seeds_follow_from_one_and_never_meet():
    assert seeds(42) == seeds(42) and len(seeds(42)) == 5
    assert seeds(42, 8)[:5] == seeds(42)
    every = [s for seed in range(200) for s in seeds(seed)]
    assert len(set(every)) == 1000 and all(isinstance(s, int) and 0 <= s < 2**32 for s in every)


def test_seeds_start_independent_streams():
    draws = np.array([np.random.default_rng(s).normal(size=2000) for seed in (1, 2) for s in seeds(seed)])
    correlation = np.corrcoef(draws) - np.eye(10)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(2000)  # 45 pairs, each N(0, 1/2000)


# The rule -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effects, yes",
    [
        ([0.2, 0.2, 0.2, 0.2, 0.2], True),
        ([0.2, 0.2, 0.2, 0.2, -0.1], True),  # four of five agree, mean 0.14
        ([0.4, 0.4, 0.4, -0.1, -0.1], False),  # three of five do not, whatever the mean
        ([0.9, 0.0, 0.0, 0.0, 0.0], False),  # zero has no sign
        ([0.09, 0.09, 0.09, 0.09, 0.09], False),  # all agree, the effect is too small
        ([0.1, 0.1, 0.1, 0.1, 0.1], True),  # at least is at least
        ([0.2, 0.2, 0.2, 0.2, np.nan], False),
        ([0.2, 0.2, 0.2, 0.2, np.inf], False),
        ([np.nan] * 5, False),
        ([0.2] * 8 + [-0.1] * 2, True),
        ([0.4] * 7 + [-0.1] * 3, False),
    ],
)
def test_at_least(effects, yes):
    assert Rule(at_least=0.1).says_yes(np.array(effects)) is yes


@pytest.mark.parametrize(
    "effects, yes",
    [
        ([1, 1, 1, 1, 1], True),
        ([2, 2, 2, 2, 2], True),
        ([1, 1, 1, 1, 3], True),  # four of five below, mean 1.4
        ([1, 1, 1, 1, 9], False),  # mean 2.6
        ([1, 1, 1, 2.1, 2.1], False),  # three of five below, mean 1.44
        ([-5, -5, -5, -5, -5], True),
        ([1, 1, 1, 1, np.nan], False),
        ([1, 1, 1, 1, -np.inf], False),
    ],
)
def test_at_most(effects, yes):
    assert Rule(at_most=2).says_yes(np.array(effects, float)) is yes


@pytest.mark.parametrize(
    "bounds, words",
    [
        ({}, "either at_least or at_most"),
        ({"at_least": 1, "at_most": 2}, "either at_least or at_most"),
        ({"at_least": 0}, "must be above 0"),
        ({"at_least": -0.1}, "must be above 0"),
    ],
)
def test_rule_needs_one_sensible_bound(bounds, words):
    with pytest.raises(ValueError, match=words):
        Rule(**bounds)


@pytest.mark.parametrize(
    "rule, effects, words",
    [
        (Rule(at_least=0.05, unit="points"), [0.05, 0.06, 0.07, 0.06, 0.06], "5 of 5 seeds, +6.0 ± 0.7 points"),
        (
            Rule(at_least=0.05, unit="% of the variance"),
            [0.1] * 4 + [-0.1],
            "4 of 5 seeds, +6.0 ± 8.9 % of the variance",
        ),
        (Rule(at_most=2, unit="degrees"), [1, 1, 1, 1, 3], "4 of 5 seeds, 1.40 ± 0.894 degrees"),
        (Rule(at_most=0.1), [0.02, 0.04, 0.06, 0.04, 0.04], "5 of 5 seeds, 0.040 ± 0.014"),
        (Rule(at_least=1), [30, 31, 32, 33, 34], "5 of 5 seeds, +32.0 ± 1.58"),
    ],
)
def test_measurement_in_words(rule, effects, words):
    assert rule.words(np.array(effects, float)) == words


def test_rule_in_words():
    assert str(Rule(at_least=0.05, unit="points")) == "at least 5.0 points"
    assert str(Rule(at_most=2)) == "at most 2.00"


# Verdicts -----------------------------------------------------------------------------------------------------


def test_holds_and_fails(claims):
    assert measured(claims) == "holds"
    assert measured(claims, effects=[0.05] * 5) == "fails"
    assert measured(claims, effects=[np.nan] * 5) == "fails"
    assert measured(claims, effects=[1.0] * 5, control=[3.0] * 5, at_most=2) == "holds"


def test_single_named_case_has_a_plain_verdict(claims):
    assert measured(claims, case="noise") == "holds"
    assert measured(claims, case="noise", effects=NONE) == "fails"


def test_depends_names_the_cases(claims):
    for case, effects in [("noise", ALL), ("L1", NONE), ("KL", ALL)]:
        measured(claims, case=case, effects=effects)
    assert claims.verdict("4.1") == "depends: noise and KL do, L1 does not"
    measured(claims, case="dropout", effects=NONE)
    measured(claims, case="decay", effects=ALL)
    assert claims.verdict("4.1") == "depends: noise, KL and decay do, L1 and dropout do not"


def test_measuring_again_replaces(claims):
    for effects in (ALL, NONE, ALL):
        for case in ("noise", "L1"):
            measured(claims, case=case, effects=effects if case == "L1" else ALL)
    assert claims.verdict("4.1") == "holds"
    assert list(claims.measurements["4.1"]) == ["noise", "L1"]
    assert claims.measurements["4.2"] == {}


@pytest.mark.parametrize(
    "controls, sound",
    [
        ({"control": NONE}, True),
        ({"control": ALL}, False),  # the rule can only say yes
        ({"control": [np.nan] * 5}, False),  # nothing was controlled
        ({"control": NONE, "positive": ALL, "positive_name": "PCA"}, True),
        ({"control": NONE, "positive": NONE, "positive_name": "PCA"}, False),
        ({"control": ALL, "positive": ALL, "positive_name": "PCA"}, False),
    ],
)
@pytest.mark.parametrize("effects", [ALL, NONE])
def test_rule_that_fails_a_control_decides_nothing(claims, capsys, controls, sound, effects):
    verdict = measured(claims, effects=effects, **controls)
    said = capsys.readouterr().out
    assert (verdict == "undecided: the rule fails its control") is not sound
    assert ("decides nothing" in said) is not sound


def test_one_unsound_case_leaves_the_claim_undecided(claims):
    measured(claims, case="noise")
    assert measured(claims, case="L1", control=ALL) == "undecided: the rule fails its control"


def test_unmeasured_claim_is_undecided(claims):
    assert claims.verdict("4.2") == "undecided: not measured"


def test_verdict_lines(claims, capsys):
    measured(claims, "4.1", case="noise")
    measured(claims, "4.1", case="L1", effects=NONE)
    measured(claims, "4.2")
    capsys.readouterr()
    claims.verdicts()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["4.1 depends: noise does, L1 does not", "4.2 holds"]
    assert all(re.fullmatch(r"\d\.\d+ (holds|fails|depends: .+)", line) for line in lines)


def test_undecided_is_no_verdict_line(claims, capsys):
    claims.verdicts()
    lines = capsys.readouterr().out.splitlines()
    assert lines and not any(re.fullmatch(r"\d\.\d+ (holds|fails|depends: .+)", line) for line in lines)


# Errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, words",
    [
        ({"number": "4.9"}, "no claim '4.9' here: the claims are 4.1, 4.2"),
        ({"effects": [0.2] * 4}, "4 values for claim 4.1: measure at least 5 seeds"),
        ({"control": [0.0] * 4}, "4 values for claim 4.1"),
        ({"positive": [0.2] * 4}, "4 values for claim 4.1"),
        ({"effects": np.ones((5, 3))}, r"shape \(5, 3\) for claim 4.1: give one number for each seed"),
        ({"effects": 0.3}, r"shape \(\) for claim 4.1: give one number for each seed"),
    ],
)
def test_errors(claims, change, words):
    with pytest.raises(ValueError, match=words):
        measured(claims, **change)
    assert claims.measurements == {"4.1": {}, "4.2": {}}


# What is printed and shown ------------------------------------------------------------------------------------


def test_measure_prints_effects_rule_and_controls(claims, capsys):
    measured(claims, case="noise", at_least=0.1, unit="points", positive=ALL, positive_name="PCA")
    assert capsys.readouterr().out.splitlines() == [
        "4.1 noise: 5 of 5 seeds, +20.0 ± 0.0 points; asked at least 10.0 points → yes",
        "    must say no: untrained, 0 of 5 seeds, +0.0 ± 0.0 points",
        "    must say yes: PCA, 5 of 5 seeds, +20.0 ± 0.0 points",
    ]


def test_table(claims):
    measured(claims, case="noise", unit="points")
    measured(claims, case="L1", effects=NONE, unit="points")
    header, rule, *rows = shown(claims)
    assert header == ["", "claim", "case", "measured", "asked", "verdict"]
    assert rule == ["---"] * 6
    assert rows == [
        [
            "**4.1**",
            "Small codes lose.",
            "noise",
            "✓ 5 of 5 seeds, +20.0 ± 0.0 points",
            "at least 10.0 points",
            "**depends**",
        ],
        ["", "", "L1", "✗ 0 of 5 seeds, +0.0 ± 0.0 points", "at least 10.0 points", ""],
        ["**4.2**", "Linear is PCA.", "", "not measured", "", "**undecided**"],
    ]


def test_table_shows_what_the_reader_predicted(claims):
    measured(claims, case="noise")
    measured(claims, case="L1")
    predictions = claims.predict()
    assert len(shown(claims)[0]) == 6  # nothing chosen, no column
    predictions.values = {"4.2": "fails"}
    rows = shown(claims)
    assert [row[-1] for row in rows] == ["you said", "---", "–", "", "fails"]
    assert {len(row) for row in rows} == {7}
