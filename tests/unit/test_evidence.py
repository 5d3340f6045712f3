"""Evidence: intervals, what a case and a claim come to, records on disk, and what a notebook shows of them."""

from dataclasses import replace

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import data, evidence, plots, records
from helpers.evidence import Bar, Case, Claims, interval, verdict
from helpers.records import MIME, Sample

SPREAD = np.array([-1.0, -0.6, -0.3, -0.1, 0.0, 0.0, 0.1, 0.3, 0.6, 1.0])


def samples(
    mean,
    spread=0.02,
    name="mnist5k",
    case="",
    claim="1.1",
    budget=1.0,
    n=10,
    control=0.0,
    positive=0.5,
    at_least=0.1,
    at_most=None,
):
    """n samples whose values lie around a mean."""
    return [
        Sample(
            name,
            4000,
            1000,
            seed,
            budget,
            claim,
            case,
            round(float(mean + spread * SPREAD[seed % 10]), 5),
            at_least,
            at_most,
            "%",
            control,
            positive,
            "abc",
            "numpy 2",
        )
        for seed in range(n)
    ]


# --- one case ---


def test_interval_is_students_without_overlap():
    from scipy import stats

    values = np.random.default_rng(0).normal(3, 2, 12)
    expected = stats.t.interval(0.95, 11, values.mean(), values.std(ddof=1) / 12**0.5)
    assert interval(values) == pytest.approx(expected)


def test_overlap_widens_the_interval_by_nadeau_and_bengios_factor():
    narrow, wide = interval(SPREAD), interval(SPREAD, overlap=0.25)
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx((0.1 + 0.25) ** 0.5 / 0.1**0.5)


def test_interval_covers_the_truth_as_often_as_it_says():
    """Means over random splits of one small set: the plain interval is too narrow, the corrected one is not."""
    rng, plain, corrected = np.random.default_rng(0), 0, 0
    for _ in range(300):
        population = rng.normal(0, 1, 100)
        runs = []
        for _ in range(10):
            order = rng.permutation(100)
            runs.append(population[order[:20]].mean())  # of the images that are tested on
        low, high = interval(runs)
        plain += low <= 0 <= high
        low, high = interval(runs, overlap=0.25)
        corrected += low <= 0 <= high
    assert plain < 0.9 * 300 < corrected


@pytest.mark.parametrize(
    "low, high, said",
    [(0.1, 0.3, "yes"), (0.05, 0.2, "undecided"), (0.02, 0.08, "small"), (-0.02, 0.08, "no"), (-0.3, -0.1, "no")],
)
def test_at_least(low, high, said):
    assert Bar(at_least=0.1).decide(low, high) == said


@pytest.mark.parametrize("low, high, said", [(0.1, 0.3, "yes"), (0.2, 0.4, "undecided"), (0.31, 0.4, "no")])
def test_at_most(low, high, said):
    assert Bar(at_most=0.3).decide(low, high) == said


def test_a_bar_has_one_side():
    for sides in ({}, {"at_least": 1, "at_most": 2}):
        with pytest.raises(ValueError, match="either at_least or at_most"):
            Bar(**sides)


@pytest.mark.parametrize(
    "bar, value, said",
    [
        (Bar(0.1, unit="% less error"), 0.3721, "37.2% less error"),
        (Bar(0.01, unit="points"), 0.0266, "2.66 points"),
        (Bar(at_most=0.5, unit="nats"), 0.123456, "0.123 nats"),
        (Bar(0.01), 0.98765, "0.988"),
        (Bar(1), 2800.0, "2,800"),
    ],
)
def test_values_in_words(bar, value, said):
    assert bar.show(value) == said


@pytest.mark.parametrize(
    "mean, spread, said",
    [(0.37, 0.02, "yes"), (0.05, 0.01, "small"), (0.0, 0.03, "no"), (0.1, 0.05, "undecided"), (-0.4, 0.1, "no")],
)
def test_case(mean, spread, said):
    assert Case(samples(mean, spread)).decision == said


def test_runs_count_as_passing_when_they_reach_the_bar_and_not_when_they_are_positive():
    assert Case(samples(0.05, 0.01)).met == 0 and Case(samples(0.1, 0.01)).met == 6


def test_fewer_than_five_runs_decide_nothing():
    assert Case(samples(0.37, n=4)).decision == "undecided" and Case(samples(0.37, n=5)).decision == "yes"


@pytest.mark.parametrize(
    "changes, why",
    [({"control": 0.2}, "its control reaches the bar"), ({"positive": 0.05}, "its positive control misses the bar")],
)
def test_unsound_controls_decide_nothing_and_are_named(changes, why):
    found = samples(0.37, case="a code of 8", **changes)
    assert Case(found).unsound == why and Case(found).decision == "undecided"
    assert evidence.unsound(found) == [f"1.1, a code of 8, on mnist5k: {why}"]
    assert evidence.unsound(samples(0.37)) == [] and Case(samples(0.37, positive=None)).unsound == ""


# --- one claim ---


@pytest.mark.parametrize(
    "found, word, lines",
    [
        (samples(0.4) + samples(0.3, name="digits"), "holds", ["✓ mnist5k, digits"]),
        (samples(0.0) + samples(0.05, 0.01, name="digits"), "fails", ["✗ mnist5k, digits: small"]),
        (samples(0.4, case="A") + samples(0.0, case="B"), "depends", ["✓ A (mnist5k)", "✗ B (mnist5k)"]),
        (samples(0.4, case="A") + samples(0.1, 0.05, case="B"), "undecided", ["✓ A (mnist5k)", "? B (mnist5k)"]),
        (
            samples(0.4) + samples(0.0, name="digits") + samples(0.1, 0.05, name="x"),
            "depends",
            ["✓ mnist5k", "✗ digits", "? x"],
        ),
        ([], "not recorded", []),
        (samples(0.4, claim="1.2"), "not recorded", []),
    ],
)
def test_claim(found, word, lines):
    said = verdict(found, "1.1")
    assert (said.word, said.lines()) == (word, lines)


def test_by_data_set_a_verdict_counts_its_cases():
    found = verdict(
        samples(0.4, case="A") + samples(0.0, case="B") + samples(0.1, 0.05, case="C") + samples(0.4, name="digits"),
        "1.1",
    )
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in found.by_data()] == [
        "mnist5k ✓ 1, ✗ 1, ? 1",
        "digits ✓",
    ]
    assert verdict([], "1.1").by_data() == []


def test_longer_training_that_overturns_a_case_makes_the_claim_depend_on_it():
    longer = samples(0.4, budget=5.0, n=2)
    assert verdict(samples(0.0) + longer, "1.1").by_data() == ["mnist5k ✗", "longer training: 1 otherwise"]
    assert verdict(samples(0.0) + longer, "1.1").word == "depends"
    assert verdict(samples(0.0) + longer, "1.1").lines()[-1] == "with longer training otherwise: mnist5k"
    assert verdict(samples(0.4) + longer, "1.1") == verdict(samples(0.4), "1.1")
    mixed = longer[:1] + samples(0.0, budget=5.0, n=2)[1:]
    assert verdict(samples(0.0) + mixed, "1.1").word == "fails"  # two runs that disagree overturn nothing
    lax = samples(0.4, budget=5.0, n=2, control=0.2)
    assert verdict(samples(0.0) + lax, "1.1").word == "fails"  # nor do two whose control reaches the bar


def test_another_run_agrees_where_the_recorded_ones_lie():
    case = Case(samples(0.4, 0.02))
    assert case.expects(0.4) and case.expects(0.43) and not case.expects(0.5) and not case.expects(0.3)
    assert not case.expects(0.45) and case.expects(0.45, of=40)  # of many values, some lie outside their own 99%
    assert Case(samples(0.4, n=4)).expects(9.0)
    exact = Case([replace(sample, value=9.61471) for sample in samples(0.4)])
    assert exact.expects(9.6147098) and not exact.expects(9.613)  # records keep six digits


# --- records ---


def test_records_are_read_as_they_were_written(tmp_path):
    found = [
        *samples(0.4, case='a "quoted", case'),
        *samples(0.2, at_least=None, at_most=0.5, positive=None, name="ring"),
    ]
    path = records.write("01_tasks", found, tmp_path)
    again = records.read("01_tasks", tmp_path)
    assert sorted(again, key=repr) == sorted(found, key=repr) and path == tmp_path / "01_tasks.csv"
    assert records.read("02_pretraining", tmp_path) == []
    assert path.read_text().splitlines()[0].startswith("data,n_train,n_test,seed,budget,claim,case,value,at_least")
    assert [p.name for p in tmp_path.iterdir()] == ["01_tasks.csv"]


def test_a_run_is_recorded_whole_in_the_place_of_its_earlier_self(tmp_path):
    records.add("n", [*samples(0.4, n=3), *samples(0.1, n=3, claim="1.2")], tmp_path)
    records.add("n", [replace(sample, value=0.9) for sample in samples(0.4, n=1)], tmp_path)
    found = records.read("n", tmp_path)
    assert [sample.value for sample in found if sample.seed == 0] == [0.9]  # 1.2 of that run went with it
    assert len(found) == 5


def test_damaged_records_name_the_line(tmp_path):
    records.write("n", samples(0.4, n=2), tmp_path)
    path = tmp_path / "n.csv"
    path.write_text(path.read_text().replace("0.388", "much"))
    with pytest.raises(ValueError, match=r"n.csv, line \d, is no sample .*much.*sweep anew"):
        records.read("n", tmp_path)


def notebook(*cells):
    return new_notebook(cells=[new_markdown_cell("text"), *cells])


def cell(source, *tags, **fields):
    return new_code_cell(source, metadata={"tags": list(tags)}, **fields)


def test_fingerprint_is_that_of_what_decides_a_measurement():
    plain = records.fingerprint(notebook(cell("x = 1\ny = 2")))
    same = [
        notebook(cell("x = 1\n\n# why\ny = 2   "), new_markdown_cell("more")),
        notebook(cell("SEED = 7", "parameters"), cell("x = 1"), cell("y = 2"), cell("plot(x)", "picture")),
        notebook(cell("labs.Lab()", "lab"), cell("x = 1\ny = 2", outputs=[new_output("stream", text="3")])),
    ]
    assert {records.fingerprint(one) for one in same} == {plain}
    other = [notebook(cell("x = 2\ny = 2")), notebook(cell("y = 2"), cell("x = 1")), notebook(cell("plot()"))]
    assert plain not in {records.fingerprint(one) for one in other}


def test_samples_of_an_executed_notebook_carry_its_fingerprint_and_the_last_of_two_counts():
    def output(value):
        return new_output("display_data", data={MIME: {**vars(samples(value, 0, n=1)[0]), "code": ""}})

    executed = notebook(cell("measure()", outputs=[output(0.2), output(0.3)]), cell("1 + 1"))
    (found,) = records.samples_of(executed)
    assert (found.value, found.code) == (0.3, records.fingerprint(executed))
    assert records.samples_of(notebook(cell("1 + 1"))) == []
    assert nbformat.reads(nbformat.writes(executed), as_version=4).cells[1].outputs[0].data[MIME]["value"] == 0.2


# --- what a notebook does ---


@pytest.fixture
def shown(monkeypatch):
    """What is displayed: (data, metadata) of each."""
    import IPython.display

    found = []
    monkeypatch.setattr(
        IPython.display, "display", lambda what, metadata=None, raw=False: found.append((what, metadata))
    )
    return found


@pytest.fixture
def claims(tmp_path):
    """Two claims on the digits, of which ten runs are recorded."""
    found = [*samples(0.4, case="a code of 8", name="digits"), *samples(0.0, case="a code of 64", name="digits")]
    records.write("01_tasks", found, tmp_path)
    return Claims(
        {"1.1": "Codes keep more", "1.2": "Maps are better"}, "01_tasks", data.load("digits"), 42, folder=tmp_path
    )


def test_a_measurement_is_noted_and_shown_among_the_recorded_runs(claims, shown):
    claims.measure(
        "1.1",
        np.float32(0.41),
        case="a code of 8",
        at_least=0.1,
        unit="%",
        control=("PCA itself", 0.0),
        positive=("all pixels", 1.0),
    )
    (bundle, metadata), sample = shown[0], claims.measured["1.1", "a code of 8"]
    assert bundle[MIME]["value"] == sample.value == pytest.approx(0.41)
    assert (sample.data, sample.n_train, sample.n_test, sample.seed, sample.budget) == ("digits", 1400, 397, 42, 1.0)
    assert "numpy" in sample.versions and "python 3" in sample.versions
    assert metadata["image/png"]["alt"] == (
        "1.1 a code of 8: this run reaches the bar, 41% where at least 10% is required. digits: 10 of 10 runs reach it."
    )
    assert bundle["image/png"]


def test_points_are_drawn_anew_so_their_runs_do_not_overlap(shown, tmp_path):
    claims = Claims({"8.1": "It collapses"}, "08", data.points("ring", n=500), 1, folder=tmp_path)
    claims.measure("8.1", 3, at_most=4, control=("none", 9))
    sample = claims.measured["8.1", ""]
    assert (sample.data, sample.n_train, sample.n_test) == ("ring", 500, 0)
    assert "No recorded runs" in shown[0][1]["image/png"]["alt"]


def test_a_case_whose_examples_are_drawn_anew_is_recorded_as_such_among_cases_of_images(claims, shown):
    claims.measure("1.1", 3, case="in the plane", at_most=4, control=("none", 9), n_drawn=500)
    claims.measure("1.1", 3, case="of images", at_most=4, control=("none", 9))
    halves = {case: (sample.n_train, sample.n_test) for (_, case), sample in claims.measured.items()}
    assert halves == {"in the plane": (500, 0), "of images": (1400, 397)}


@pytest.mark.parametrize(
    "number, value, error",
    [
        ("9.9", 1.0, "there is no claim '9.9' here: the claims are 1.1, 1.2"),
        ("1.1", [1.0, 2.0], r"of shape \(2,\): one run gives one number"),
        ("1.1", float("nan"), "diverged"),
    ],
)
def test_what_cannot_be_measured(claims, number, value, error):
    with pytest.raises(ValueError, match=error):
        claims.measure(number, value, at_least=0.1, control=("x", 0.0))


def test_verdicts_are_those_of_the_records_and_a_run_that_does_not_agree_shows(claims, shown, capsys):
    claims.measure("1.1", 0.41, case="a code of 8", at_least=0.1, unit="%", control=("PCA", 0.0))
    claims.verdicts()
    expected = "1.1 depends\n    ✓ a code of 8 (digits)\n    ✗ a code of 64 (digits)\n1.2 not recorded\n"
    assert capsys.readouterr().out == expected
    claims.measure("1.1", 0.9, case="a code of 8", at_least=0.1, unit="%", control=("PCA", 0.0))
    claims.verdicts()
    assert capsys.readouterr().out.startswith("1.1 depends; this run does not agree\n")


def test_table_shows_this_run_the_records_and_the_controls_folded(claims, shown):
    claims.measure(
        "1.1",
        0.41,
        case="a code of 8",
        at_least=0.1,
        unit="%",
        control=("PCA itself", 0.0),
        positive=("all pixels", 1.0),
    )
    claims.measure("1.1", 0.0, case="a code of 64", at_least=0.1, unit="%", control=("PCA itself", 0.0))
    claims.table()
    table = shown[-1][0].data
    row = "| **1.1** | Codes keep more | ✓ 1 of 2 | digits ✓ 1, ✗ 1 | **depends** |"
    assert row in table.replace("\N{NO-BREAK SPACE}", " ")
    assert "| **1.2** | Maps are better | – | – | **not recorded** |" in table
    assert "must miss it: PCA itself, 0%; must reach it: all pixels, 100%" in table and "<details>" in table
    assert "helpers.sweep" not in table


def test_a_data_set_without_records_says_how_ten_runs_are_made(shown, tmp_path):
    np.savez(tmp_path / "mine.npz", images=np.random.default_rng(0).integers(0, 256, (40, 8, 8)))
    claims = Claims({"1.1": "Codes keep more"}, "01_tasks", data.load(tmp_path / "mine.npz", labels=False), 1)
    claims.measure("1.1", 0.4, at_least=0.1, control=("PCA", 0.0))
    claims.table()
    assert "This run is one sample; ten make a verdict: `python -m helpers.sweep 01_tasks" in shown[-1][0].data
    assert claims.folder == tmp_path / "evidence"


def test_some_claims_are_predicted_and_the_table_shows_the_prediction(claims, shown):
    predictions = claims.predict("1.2")
    predictions.values = {"1.2": "holds"}
    claims.table()
    assert list(predictions.sentences) == ["1.2"] and "| you said |" in shown[-1][0].data
    assert "**not recorded** | holds |" in shown[-1][0].data


def test_the_row_of_this_runs_data_set_is_the_first_of_a_strip(monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "picture", lambda fig, alt: drawn.append(fig) or plots.Picture(b"", alt, 1))
    recorded = {name: Case(samples(0.4, name=name)) for name in ("digits", "mnist5k")}
    for mine, rows in [("mnist5k", ["digits", "mnist5k"]), ("mine", ["mnist5k", "digits", "mine"])]:
        said = plots.strip("1.1", recorded, mine, 0.5, Bar(0.1, None, "%"), 0.0).alt
        ax = drawn[-1].axes[0]
        assert [text.get_text() for text in ax.texts[::2]] == rows  # from the bottom to the top
        assert ax.get_lines()[-1].get_xydata().tolist() == [[0.5, len(rows) - 1]]  # the diamond
        assert "digits: 10 of 10 runs reach it" in said and "mine:" not in said
