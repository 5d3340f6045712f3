"""Small notebooks that keep the rules, for tests to run, to publish, and to break."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.publish import METADATA
from helpers.rules import FEWEST_CELLS, PARAMETERS, WIDGET

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
OPENING = """# 1 · A sample

**The question.** What is a sample?

> **The answer.** A small thing that stands for a large one, $n \\ll N$.

![one of many](images/one.png)

*Running time: a second.*"""
OPTIONS = """<details><summary>A. Yes.</summary>Right.</details>
<details><summary>B. No.</summary>Wrong.</details>"""
QUIZ = "\n\n".join(f"**{i}. Is it so?**\n\n{OPTIONS}" for i in range(1, 6))
VERDICTS = "1.1 holds\n    ✓ digits\n1.2 depends\n    ✓ Sundays (digits)\n    ✗ Mondays (digits)"


def sample_notebook():
    """On question 1, as `helpers.publish` would leave it, but short; its code needs nothing but IPython."""
    lab = {WIDGET: {"model_id": "1"}, "text/plain": "a lab"}
    cells = [
        new_markdown_cell(OPENING),
        new_markdown_cell("## Parameters"),
        tagged("parameters", PARAMETERS),
        new_markdown_cell("## Predict first\n\nHow many?"),
        new_code_cell("guess = SEED"),
        new_markdown_cell("## What a sample shows\n\nIt is shown."),
        shown({"text/plain": "a picture"}),
        new_markdown_cell("## Lab\n\nMove the slider."),
        shown(lab),
        new_markdown_cell("## What holds"),
        tagged("nbval-check-output", f"print({VERDICTS!r})", new_output("stream", text=VERDICTS + "\n")),
        new_markdown_cell("## Common mistakes\n\nNone."),
        new_markdown_cell("## Check yourself\n\n" + QUIZ),
        new_markdown_cell("## Your turn\n\nGo on.\n\n### Sources\n\nNone."),
    ]
    return new_notebook(cells=number(cells), metadata=METADATA)


def whole_sample():
    """The sample with sections enough to keep every rule."""
    notebook = sample_notebook()
    while len(notebook.cells) < FEWEST_CELLS:
        notebook.cells[9:9] = [
            new_markdown_cell("### One more\n\nIts code does nothing, and takes no time for it."),
            new_code_cell("x = 1"),
        ]
    number(notebook.cells)
    return notebook


def tagged(tag, source, *outputs):
    """A code cell with a tag."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": [tag]})


def shown(data):
    """A code cell that displays a picture with alternative text, and its output without the widget."""
    bundle, metadata = {"image/png": PIXEL} | data, {"image/png": {"alt": "one grey pixel", "width": 8}}
    stored = {mime: value for mime, value in bundle.items() if mime != WIDGET}
    return new_code_cell(
        f"display({bundle!r}, raw=True, metadata={metadata!r})",
        outputs=[new_output("display_data", data=stored, metadata=metadata)],
    )


def number(cells):
    """The cells, their code cells with the execution counts of one run from top to bottom."""
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    return cells
