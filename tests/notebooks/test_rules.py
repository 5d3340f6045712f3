"""Every notebook keeps the rules of helpers.rules; and each rule says no to a notebook that breaks it."""
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_notebook import number

from helpers.rules import NOTEBOOKS, claims_before, everything, question_of, verdicts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path):
    assert everything(nbformat.read(path, as_version=4), question_of(path), claims_before(path)) == []


def test_sample_keeps_every_rule(sample):
    assert everything(sample, 1) == []
    assert verdicts(sample) == ["1.1 holds", "1.2 depends: on Sundays it does"]


def test_second_notebook_of_a_question_goes_on_where_the_first_ends(sample):
    assert everything(sample, 1, claims_before=2) == [
        "the verdicts are on 1.1, 1.2; they should run from 1.3 without a gap"]
    sample.cells[0].source = sample.cells[0].source.replace("# 1 ·", "# 1b ·")
    verdict_cell(sample.cells).outputs[0].text = "1.3 holds\n1.4 fails\n"
    assert everything(sample, 1, claims_before=2) == []


def test_page_without_claims_has_fewer_rules(sample):
    sample.cells = sample.cells[:3]
    assert everything(sample, 0) == []


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
    """Put a code cell with prose before it at a place, and count anew."""
    def break_(cells):
        cells[place:place] = [new_markdown_cell("Prose."), new_code_cell(source, **fields)]
        number(cells)
    return break_


def not_run(cells):
    next(c for c in cells if c.cell_type == "code").execution_count = None


def run_twice(cells):
    verdict_cell(cells).execution_count += 7


def no_output(cells):
    verdict_cell(cells).outputs.clear()


def no_alt(cells):
    picture(cells).metadata["image/png"]["alt"] = ""


def widget_beside_picture(cells):
    picture(cells).data["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}


def widget_alone(cells):
    widget_beside_picture(cells)
    del picture(cells).data["image/png"]


def long_cells(lines):
    def break_(cells):
        for cell in cells:
            if cell.cell_type == "code" and not cell.metadata.get("tags"):
                cell.source += "\nx = 1" * lines
    return break_


def without_prose(cells):
    for i in reversed(range(1, len(cells) - 1)):
        if cells[i].cell_type == "code" and i % 4 == 2:
            cells.insert(i, new_code_cell("y = 1"))
    number(cells)


def three_in_a_row(cells):
    cells[5:5] = [new_code_cell("x = 1"), new_code_cell("x = 2")]
    number(cells)


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
    cells[3].source, cells[5].source = cells[5].source, cells[3].source


def verdicts_elsewhere(cells):
    cells.insert(4, cells.pop(cells.index(verdict_cell(cells))))
    number(cells)


def lab_without_code(cells):
    place = next(i for i, cell in enumerate(cells) if cell.source.startswith("## Lab"))
    del cells[place + 1]
    number(cells)


def large(cells):
    cells[0].source += " " * 1_000_000


def prints(text, **fields):
    return code("x", 5, outputs=[new_output("stream", text=text, **fields)])


BROKEN = [
    (not_run, "top to bottom"),
    (run_twice, "top to bottom"),
    (no_output, "has no output"),
    (code("1/0", 5, outputs=[new_output("error", ename="ZeroDivisionError", evalue="by zero")]), "an error"),
    (prints("WARNING: slow", name="stderr"), "stderr: WARNING: slow"),
    (prints("saved to /home/ann/x.png"), "one machine: /home/ann/x.png"),
    (code("open('/tmp/x')", 5), "one machine: /tmp/x"),
    (large, "1.0 MB: at most 1 MB"),
    (no_alt, "without alternative text"),
    (widget_beside_picture, "widget beside its static twin"),
    (widget_alone, "widget without a static twin"),
    (long_cells(5), "at most 5 lines"),
    (long_cells(13), "at most 13 lines"),
    (without_prose, "follow prose"),
    (three_in_a_row, "three code cells in a row"),
    (replace("What is", "See https://py" + "pi.org, what is"), "package registry"),
    (replace("# 1 · ", "# 2 · "), "title"),
    (two_parts_exchanged, "the parts are"),
    (replace("## Lab", "## The lab"), "the parts are"),
    (replace("### Sources", "Sources"), "### Sources"),
    (replace("SEED = 42", "SEED = 43"), "`Parameters`"),
    (untag("parameters"), "`Parameters`"),
    (lab_without_code, "no code"),
    (code("plt.show()", 9), "`plt.` in the lab"),
    (code("model.predict(x)", 9), "`predict(` in the lab"),
    (replace("**5. ", "5. "), "4 numbered questions"),
    (replace("**4. ", "**6. "), "5 numbered questions"),
    (replace("**5. Is it so?**", "**5. Is it so?**\n\n**6. And this?**"), "6 numbered questions"),
    (replace("Wrong.</details>\n\n**2", "</details>\n\n**2"), "question 1 has"),
    (replace("<details><summary>B. No.</summary>Wrong.</details>\n\n**3", "\n\n**3"), "question 2 has"),
    (untag("nbval-check-output"), "`Verdicts`"),
    (verdicts_elsewhere, "`Verdicts`"),
    (say("1.1 holds\n1.2 maybe\n"), "not a verdict: '1.2 maybe'"),
    (say("1.1 holds\n1.2 depends\n"), "not a verdict: '1.2 depends'"),
    (say("1.1 holds\n1.3 fails\n"), "without a gap"),
    (say("2.1 holds\n"), "run from 1.1"),
    (say(""), "nothing"),
]


@pytest.mark.parametrize("break_, complaint", BROKEN, ids=[complaint for _, complaint in BROKEN])
def test_rule_says_no(sample, break_, complaint):
    break_(sample.cells)
    assert any(complaint in problem for problem in everything(sample, 1)), everything(sample, 1)


def test_widget_state_is_found(sample):
    sample.metadata["widgets"] = {}
    assert everything(sample, 1) == ["widget state in the notebook's metadata"]
