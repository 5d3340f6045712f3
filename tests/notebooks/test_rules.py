"""Every notebook keeps the rules of helpers.rules; and each rule says no to a notebook that breaks it."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_notebook import PIXEL, number, whole_sample

from helpers.rules import LARGEST, NOTEBOOKS, WIDGET, everything, problems, question_of, verdicts

PATH = Path("01_sample.ipynb")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path):
    assert everything(nbformat.read(path, as_version=4), path) == []


@pytest.fixture
def sample():
    """The sample that keeps every rule, in the place of the short one."""
    return whole_sample()


def test_sample_keeps_every_rule(sample):
    assert everything(sample, PATH) == []
    assert verdicts(sample) == ["1.1 holds: ✓ digits", "1.2 depends: ✓ Sundays (digits); ✗ Mondays (digits)"]


def test_questions_of_notebooks():
    names = {"04_under_overcomplete.ipynb": 4, "06c_families.ipynb": 6, "00_start_here.ipynb": 0, "notes.ipynb": 0}
    assert {name: question_of(Path(name)) for name in names} == names


def test_notebooks_of_a_question_share_its_claims(sample, stored):
    first, second = stored(sample), stored(sample, "01b_more.ipynb")
    twice = "1.1, 1.2 has a verdict in notebook 1, too"
    assert everything(sample, second) == ["the first cell is not the title `# 1b · …`", twice]
    sample.cells[0].source = sample.cells[0].source.replace("# 1 ·", "# 1b ·")
    say("1.3 holds\n1.4 fails\n")(sample.cells)
    assert everything(sample, second) == []
    say("1.4 holds\n1.10 fails\n")(sample.cells)
    assert everything(sample, second) == ["no verdict on 1.3, 1.5, 1.6, 1.7, 1.8, 1.9 in the notebooks of question 1"]
    stored(sample, "01b_more.ipynb")
    assert everything(whole_sample(), first) == everything(sample, second)


@pytest.mark.parametrize("name, printed", [("01c_last.ipynb", "1.7 holds\n"), ("01b_more.ipynb", "")])
def test_claims_of_a_notebook_to_come_may_be_missing(sample, stored, name, printed):
    say(printed)(sample.cells)
    stored(sample, name)
    mine = whole_sample()
    say("1.1 holds\n1.4 fails\n")(mine.cells)
    assert everything(mine, stored(mine)) == []


def test_page_without_claims_has_fewer_rules(sample):
    sample.cells = sample.cells[:3]
    assert everything(sample, Path("00_start.ipynb")) == everything(sample, Path("notes.ipynb")) == []


# Broken notebooks: each of these functions breaks one rule of the sample ------------------------------------


def picture(cells):
    outputs = (output for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    return next(output for output in outputs if "image/png" in output.get("data", {}))


def verdict_cell(cells):
    return next(cell for cell in cells if "nbval-check-output" in cell.metadata.get("tags", ()))


def say(text):
    def break_(cells):
        verdict_cell(cells).outputs[0].text = text

    return break_


def code(source, place, **fields):
    """Put a code cell at a place, and count anew."""

    def break_(cells):
        cells.insert(place, new_code_cell(source, **fields))
        number(cells)

    return break_


def prose(source, place=6):
    """Put a text at a place."""
    return lambda cells: cells.insert(place, new_markdown_cell(source))


def not_run(cells):
    next(c for c in cells if c.cell_type == "code").execution_count = None


def run_twice(cells):
    verdict_cell(cells).execution_count += 7


def no_output(cells):
    verdict_cell(cells).outputs.clear()


def no_alt(cells):
    picture(cells).metadata["image/png"]["alt"] = ""


def widget_beside_picture(cells):
    picture(cells).data[WIDGET] = {"model_id": "1"}


def widget_alone(cells):
    widget_beside_picture(cells)
    del picture(cells).data["image/png"]


def alt(text):
    def break_(cells):
        picture(cells).metadata["image/png"]["alt"] = text

    return break_


def hidden(n, tag=True, jupyter=True):
    def break_(cells):
        for cell in cells[20 : 20 + n]:
            cell.metadata = ({"tags": ["hide-input"]} if tag else {}) | ({"jupyter": {"source_hidden": jupyter}})

    return break_


def more(n, text=""):
    return lambda cells: cells.extend(new_markdown_cell("### More" + text) for _ in range(n))


def replace(old, new):
    def break_(cells):
        cell = next(cell for cell in cells if old in cell.source)
        cell.source = cell.source.replace(old, new)

    return break_


def untag(tag):
    def break_(cells):
        for cell in cells:
            if tag in cell.metadata.get("tags", ()):
                cell.metadata["tags"].remove(tag)

    return break_


def two_parts_exchanged(cells):
    cells[3].source, cells[1].source = cells[1].source, cells[3].source


def verdicts_elsewhere(cells):
    cells.insert(4, cells.pop(cells.index(verdict_cell(cells))))
    number(cells)


def large(cells):
    cells[0].source += " " * LARGEST


def prints(text, **fields):
    return code("x", 5, outputs=[new_output("stream", text=text, **fields)])


BROKEN = [
    # what is stored
    (not_run, "top to bottom"),
    (run_twice, "top to bottom"),
    (no_output, "has no output"),
    (code("1/0", 5, outputs=[new_output("error", ename="ZeroDivisionError", evalue="by zero")]), "an error"),
    (prints("WARNING: slow", name="stderr"), "stderr: WARNING: slow"),
    (prints("saved to /home/ann/x.png"), "one machine: /home/ann/x.png"),
    (code("open('/tmp/x')", 5), "one machine: /tmp/x"),
    (large, "1.5 MB: at most 1.5 MB"),
    (alt(""), "without alternative text"),
    (prose("![](images/one.png) and what it shows"), "`![](images/one.png) and what it shows`: a picture without"),
    (prose('<img src="one.png">'), "without alternative text"),
    (code("x", 5, outputs=[new_output("display_data", data={"image/svg+xml": "<svg/>"})]), "without alternative text"),
    (widget_beside_picture, "widget beside its static twin"),
    (widget_alone, "widget without a static twin"),
    (replace("What is", "See https://py" + "pi.org, what is"), "package registry"),
    # what is written
    (alt("Grid of 8 by 8 pixel images, mean grey 0.30."), "“mean grey” is no alternative text"),
    (alt("Panel: value against epoch."), "“value against” is no alternative text"),
    (alt("1600 points in 2 groups."), "“1600 points in 2 group” is no alternative text"),
    (prose("Twenty trainings, which take a while."), "“Twenty trainings, which take a while.”: fewer than 8 words"),
    (prose("One <b>two</b> [three](https://example.org/a/b/c/d/e/f)."), "fewer than 8 words"),
    (prose(""), "fewer than 8 words"),
    (lambda cells: cells.pop(), "59 cells: at least 60"),
    (more(51), "111 cells: at most 110"),
    (more(1, " and" * 3500), "3,883 words: at most 3,500"),
    (code("x = 1\n\n" * 26, 5), "cell [3] `x = 1`: 26 lines of code: at most 25"),
    (hidden(11), "11 of 60 cells are hidden"),
    (hidden(1, jupyter=False), "hidden by half"),
    (hidden(1, tag=False), "hidden by half"),
    (code("def draw(n):\n    plt.show()\nlabs.Lab(draw, n=labs.slider('n', 0, 9, 5))", 9), "`plt.` in a lab"),
    (code("labs.Lab(lambda n: model.predict(n), n=labs.slider('n', 0, 9, 5))", 9), "`predict(` in a lab"),
    (
        lambda cells: (code("labs.Lab(draw)", 9)(cells), code("def draw(n):\n    plt.show()", 5)(cells)),
        "`plt.` in a lab",
    ),
    # its parts
    (replace("# 1 · ", "# 2 · "), "title"),
    (replace("**The question.**", "Question:"), "the opening has no `**The question …`"),
    (replace("**The answer.**", ""), "the opening has no `**The answer …`"),
    (replace("*Running time: a second.*", ""), "the opening has no `*Running time …`"),
    (replace("![one of many]", "![Open in Colab]"), "the opening has no picture"),
    (two_parts_exchanged, "the parts are"),
    (replace("## Predict first", "## Predict"), "the parts are"),
    (replace("## What holds", "## Verdicts"), "the parts are"),
    (replace("## Common mistakes", "### Common mistakes"), "the parts are"),
    (replace("## Lab", "## What a sample shows"), "the parts are"),
    (
        lambda cells: (replace("## Lab", "### Lab")(cells), replace("## What a sample", "### What a sample")(cells)),
        "the parts are",
    ),
    (replace("### Sources", "Sources"), "### Sources"),
    (replace("SEED = 42", "SEED = 43"), "`Parameters`"),
    (replace("\nBUDGET = 1", ""), "`Parameters`"),
    (untag("parameters"), "`Parameters`"),
    (replace("$n \\ll N$", "n ≪ N"), "no formula"),
    (replace("**5. ", "5. "), "4 numbered questions"),
    (replace("**4. ", "**6. "), "5 numbered questions"),
    (replace("**5. Is it so?**", "**5. Is it so?**\n\n**6. And this?**"), "6 numbered questions"),
    (replace("Wrong.</details>\n\n**2", "</details>\n\n**2"), "question 1 has"),
    (replace("<details><summary>B. No.</summary>Wrong.</details>\n\n**3", "\n\n**3"), "question 2 has"),
    (untag("nbval-check-output"), "`What holds`"),
    (verdicts_elsewhere, "`What holds`"),
    (say("1.1 holds\n1.2 maybe\n"), "not a verdict: '1.2 maybe'"),
    (say("1.1 holds\n1.2 depends\n"), "not a verdict: '1.2 depends'"),
    (say("1.1 holds\n1.2 not recorded\n"), "not a verdict: '1.2 not recorded'"),
    (say("1.1 holds; this run does not agree\n"), "not a verdict: '1.1 holds; this run does not agree'"),
    (say("1.1 holds\n1.3 fails\n"), "no verdict on 1.2 in"),
    (say("1.2 holds\n1.1 fails\n"), "the verdicts are on 1.2, 1.1; their numbers should rise"),
    (say("1.1 holds\n1.1 fails\n"), "the verdicts are on 1.1, 1.1; their numbers should rise"),
    (say("2.1 holds\n"), "from 1.…"),
    (say(""), "nothing"),
]


@pytest.mark.parametrize("break_, complaint", BROKEN, ids=[complaint for _, complaint in BROKEN])
def test_rule_says_no(sample, break_, complaint):
    break_(sample.cells)
    assert any(complaint in problem for problem in everything(sample, PATH)), everything(sample, PATH)


@pytest.mark.parametrize(
    "fine",
    [
        prose("### Seven"),
        prose("![ten digits](ten.png)"),
        prose("$$a = b$$"),
        prose("*Eight words* will do for a cell like this."),
        more(50),
        code("x = 1\n\n" * 25, 5),
        code("plt.close()", 5),
        code("def draw(n):\n    plt.show()", 5),
        hidden(10),
        code(
            "x",
            5,
            outputs=[
                new_output(
                    "display_data", data={"image/svg+xml": "<svg/>"}, metadata={"image/svg+xml": {"alt": "an arrow"}}
                )
            ],
        ),
    ],
)
def test_rule_says_yes(sample, fine):
    fine(sample.cells)
    assert everything(sample, PATH) == []


def test_widget_state_is_found(sample):
    sample.metadata["widgets"] = {}
    assert everything(sample, PATH) == ["widget state in the notebook's metadata"]


def test_pictures_may_contain_any_letters(sample):
    output = picture(sample.cells)
    output.data["image/png"] = PIXEL + "+/home/AAAA"
    assert problems(sample) == []
    output.data["text/plain"] = "x/home/a: +/home/AAAA"
    assert problems(sample) == ["a path of one machine: /home/AAAA"]
