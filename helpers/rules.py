"""The rules that notebooks keep. A rule is a function from a notebook to sentences that say what is wrong.

`problems` are about what is stored, `written` about what the author wrote, which is known before anything runs, and
`everything` is both and more: what `python -m helpers.publish --check` says.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]*_*.ipynb"))  # 06_vae, 06b_bounds and 06c_families answer one question
WIDGET = "application/vnd.jupyter.widget-view+json"
TWINS = {"image/png", "text/markdown"}  # what a widget shows to readers without a kernel
LARGEST = 1_500_000  # bytes of a notebook
FEWEST_CELLS, MOST_CELLS, MOST_WORDS = 60, 110, 3500
FEWEST_WORDS, MOST_LINES = 8, 25  # of a cell
BADGE = "Open in Colab"  # a picture, but none of the subject
OPENING = ("**The question", "**The answer", "*Running time")
FIRST, LAST = ["Parameters", "Predict first"], ["What holds", "Common mistakes", "Check yourself", "Your turn"]
PARAMETERS = 'DATASET = "mnist5k"\nSEED = 42\nBUDGET = 1'
VERDICT = re.compile(r"(\d)\.(\d+) (?:holds|fails|undecided|depends(?=: ))(?:: .+)?")
ABSOLUTE = re.compile(r"(?<!\w)/(?:root|home|Users|tmp|work|opt|usr|var|mnt)/[\w.\-/]*|\b[A-Z]:\\+Users")
PIXELS = re.compile(r'"image/(?:png|jpeg)": (?:"[^"]*"|\[[^\]]*\])')
SHOWS = re.compile(r"^(?:\w+\.)*(?:show|display|print|table|verdicts)\w*\(", re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
FORMULA = re.compile(r"\$\$.+?\$\$|(?<!\\)\$[^$\n]+\$", re.DOTALL)
PICTURE = re.compile(r'!\[(?P<alt>[^\]]*)\]\(|<img\b(?:[^>]*?\balt="(?P<words>[^"]*)")?')
SAYS_NOTHING = re.compile(r"mean grey|value against|\d+ points in \d+ group")  # true of any figure


def everything(notebook: NotebookNode, path: Path) -> list[str]:
    """All that is wrong with a notebook. path: where it lies; its name says which question it answers."""
    verdict = verdict_cell(notebook, path) if question_of(path) else ()
    return [*problems(notebook), *written(notebook, path), *alternatives(notebook), *verdict]


def problems(notebook: NotebookNode) -> list[str]:
    """All that is wrong with what a notebook stores."""
    return [*unfit(notebook), *outputs(notebook), *registries(notebook)]


def written(notebook: NotebookNode, path: Path) -> list[str]:
    """All that is wrong with what the author wrote; a page that answers no question may be short and free in form."""
    found = [*prose(notebook), *length(notebook, path), *long_cells(notebook), *hidden(notebook), *labs(notebook)]
    if question_of(path):
        found += [
            *opening(notebook, path),
            *order(notebook),
            *parameters(notebook),
            *formula(notebook),
            *questions(notebook),
        ]
    return found


# What a notebook is made of -----------------------------------------------------------------------------------


def question_of(path: Path) -> int:
    """The question that a notebook answers: 04_under_overcomplete.ipynb → 4, 06c_families.ipynb → 6; else 0."""
    match = re.match(r"(\d\d)[a-z]?_", path.name)
    return int(match[1]) if match else 0


def number_of(path: Path) -> str:
    """A notebook's number as its title has it: 4 for 04_under_overcomplete.ipynb, 6c for 06c_families.ipynb."""
    return path.name.partition("_")[0].lstrip("0")


def claims_of(notebook: NotebookNode) -> list[tuple[int, int]]:
    """The numbers of the claims on which a notebook printed verdicts, in order: [(6, 1), (6, 2)] for 6.1 and 6.2."""
    return [(int(match[1]), int(match[2])) for match in map(VERDICT.fullmatch, verdicts(notebook)) if match]


def others(path: Path) -> dict[str, list[tuple[int, int]]]:
    """{letter: numbers of the claims} of the other notebooks of the same question, '' for the one without a letter."""
    return {
        other.name[2].strip("_"): claims_of(nbformat.read(other, as_version=4))
        for other in path.parent.glob(f"{path.name[:2]}*_*.ipynb")
        if other.name != path.name and question_of(other)
    }


def parts(notebook: NotebookNode) -> dict[str, list[NotebookNode]]:
    """{heading: cells} of the second-level headings, in order; the cells before the first stand under ''."""
    found: dict[str, list[NotebookNode]] = {"": []}
    heading = ""
    for cell in notebook.cells:
        match = re.search(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        heading = match[1].strip() if match else heading
        found.setdefault(heading, []).append(cell)
    return found


def numbered(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    """(name, cell) for each cell that has code; its name holds the execution count that a reader sees."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [(f"cell [{i}] `{_first_line(cell)}`", cell) for i, cell in enumerate(code, 1)]


def run_in_order(notebook: NotebookNode) -> bool:
    """Whether the cells were run from top to bottom in one go, by their execution counts."""
    return all(cell.execution_count == count for count, (_, cell) in enumerate(numbered(notebook), 1))


def tagged(cells: Iterable[NotebookNode], tag: str) -> list[NotebookNode]:
    """Those of the cells that carry a tag."""
    return [cell for cell in cells if tag in cell.metadata.get("tags", ())]


def text(cells: Iterable[NotebookNode]) -> str:
    """The text of the cells, without their code."""
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def words(markdown: str) -> list[str]:
    """The words of a text, without tags, formulas, and what links lead to."""
    return re.findall(r"\w+(?:['’.-]\w+)*", FORMULA.sub(" ", re.sub(r"<[^>]*>|\]\([^)]*\)", " ", markdown)))


def pictures(cells: Iterable[NotebookNode]) -> Iterator[tuple[str, str]]:
    """(first line of the cell, alternative text) of each picture in the text and the outputs of cells."""
    for cell in cells:
        if cell.cell_type == "markdown":
            yield from (
                (_first_line(cell), match["alt"] or match["words"] or "") for match in PICTURE.finditer(cell.source)
            )
        for output in cell.get("outputs", ()):
            yield from (
                (_first_line(cell), output.metadata.get(mime, {}).get("alt", ""))
                for mime in output.get("data", ())
                if mime.startswith("image/")
            )


def verdicts(notebook: NotebookNode) -> list[str]:
    """What the verdict cell printed, a line for each claim and its lists: `4.6 depends: ✓ noise; ✗ L1`."""
    printed = "".join(
        output.get("text", "") for cell in tagged(notebook.cells, "nbval-check-output") for output in cell.outputs
    )
    lines: list[str] = []
    for line in printed.splitlines():
        if line.startswith("    ") and lines:
            lines[-1] += ("; " if ": " in lines[-1] else ": ") + line.strip()
        else:
            lines.append(line)
    return lines


def _first_line(cell):
    return cell.source.strip().partition("\n")[0]


# What is stored -----------------------------------------------------------------------------------------------


def unfit(notebook: NotebookNode) -> Iterator[str]:
    """What keeps a notebook from being stored at all: errors, noise, this machine's paths, its size."""
    for name, cell in numbered(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name}: an error in the output, {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield f"{name}: text on stderr: {output.text.strip()[:200]}"
    stored = nbformat.writes(notebook)
    found = sorted(set(ABSOLUTE.findall(PIXELS.sub("", stored))))
    yield from (f"a path of one machine: {path}" for path in found)
    if (size := len(stored.encode())) > LARGEST:
        yield f"{size / 1e6:.1f} MB: at most {LARGEST / 1e6:g} MB"


def outputs(notebook: NotebookNode) -> Iterator[str]:
    """Run from top to bottom, every output there; pictures with alternative text, widgets as their twins alone."""
    if not run_in_order(notebook):
        yield "not run from top to bottom in one go"
    if "widgets" in notebook.metadata:
        yield "widget state in the notebook's metadata"
    yield from (
        f"`{where}`: a picture without alternative text" for where, alt in pictures(notebook.cells) if not alt.strip()
    )
    for name, cell in numbered(notebook):
        if SHOWS.search(cell.source) and not cell.outputs:
            yield f"{name}: shows something, and has no output"
        for output in cell.outputs:
            if WIDGET in (data := output.get("data", {})):
                yield f"{name}: a widget {'beside its' if TWINS & set(data) else 'without a'} static twin"


def registries(notebook: NotebookNode) -> Iterator[str]:
    """A notebook installs nothing, so it names no package registry."""
    source = "\n".join(cell.source for cell in notebook.cells)
    for host in sorted(set(re.findall(r"py(?:pi|thonhosted)\.org|registry\.npm\w*|deb\.debian", source))):
        yield f"the package registry {host} is named"


def alternatives(notebook: NotebookNode) -> Iterator[str]:
    """Alternative texts say what the figure shows, and not what is true of every figure of its kind."""
    for where, alt in pictures(notebook.cells):
        if match := SAYS_NOTHING.search(alt):
            yield f"`{where}`: “{match[0]}” is no alternative text: say what the figure shows (plots.show(…, alt=…))"


# What is written ----------------------------------------------------------------------------------------------


def prose(notebook: NotebookNode) -> Iterator[str]:
    """No prose for prose's sake: a cell of a few words is a heading, a picture or a formula."""
    for said in (cell.source for cell in notebook.cells if cell.cell_type == "markdown"):
        if len(words(said)) < FEWEST_WORDS and not any(kind.search(said) for kind in (HEADING, PICTURE, FORMULA)):
            yield f"“{said.strip()}”: fewer than {FEWEST_WORDS} words: say more, or leave it out"


def length(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """As much as one sits through."""
    cells, said = len(notebook.cells), len(words(text(notebook.cells)))
    if question_of(path) and cells < FEWEST_CELLS:
        yield f"{cells} cells: at least {FEWEST_CELLS}"
    if cells > MOST_CELLS:
        yield f"{cells} cells: at most {MOST_CELLS}"
    if said > MOST_WORDS:
        yield f"{said:,} words: at most {MOST_WORDS:,}"


def long_cells(notebook: NotebookNode) -> Iterator[str]:
    """A cell of code does one thing."""
    for name, cell in numbered(notebook):
        if (lines := sum(map(bool, map(str.strip, cell.source.splitlines())))) > MOST_LINES:
            yield f"{name}: {lines} lines of code: at most {MOST_LINES}"


def hidden(notebook: NotebookNode) -> Iterator[str]:
    """Code that teaches nothing may be hidden, in JupyterLab and on the web alike; at most one cell in six."""
    on_the_web = tagged(notebook.cells, "hide-input")
    in_jupyter = [cell for cell in notebook.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    for cell in notebook.cells:
        if (cell in on_the_web) != (cell in in_jupyter):
            yield f"`{_first_line(cell)}`: hidden by half; it takes the tag `hide-input` and `jupyter.source_hidden`"
    if 6 * len(on_the_web) > len(notebook.cells):
        yield f"{len(on_the_web)} of {len(notebook.cells)} cells are hidden: more than one in six"


def labs(notebook: NotebookNode) -> Iterator[str]:
    """A lab calls neither `predict`, 50 ms a call, nor pyplot, which is not safe in a callback's thread."""
    cells = [cell.source for _, cell in numbered(notebook)]
    makers = [source for source in cells if "labs." in source]
    named = set(re.findall(r"\w+", "\n".join(makers)))
    drawers = [source for source in cells if named & set(re.findall(r"^def (\w+)", source, re.MULTILINE))]
    for word in sorted(set(re.findall(r"\bpredict\(|\bplt\.", "\n".join(makers + drawers)))):
        yield f"`{word}` in a lab: call the model itself, and draw with helpers.plots"


def opening(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Before the first part: title, question, answer, a picture, and the running time."""
    cells = parts(notebook)[""]
    if not text(cells).startswith(title := f"# {number_of(path)} · "):
        yield f"the first cell is not the title `{title}…`"
    yield from (f"the opening has no `{needed} …`" for needed in OPENING if needed not in text(cells))
    if all(alt == BADGE for _, alt in pictures(cells)):
        yield "the opening has no picture"


def order(notebook: NotebookNode) -> Iterator[str]:
    """The parts: first two of fixed names, then sections of free names, then four of fixed names, with the sources."""
    headings = re.findall(r"^## (.+?)\s*$", text(notebook.cells), re.MULTILINE)
    if headings[:2] != FIRST or headings[-4:] != LAST or len(headings) < 7 or len(set(headings)) < len(headings):
        yield (
            f"the parts are {', '.join(headings) or 'missing'}; they should be {', '.join(FIRST)}, "
            f"sections of names of your own, {', '.join(LAST)}"
        )
    if not re.search(r"^### Sources$", text(parts(notebook).get("Your turn", ())), re.MULTILINE):
        yield "`### Sources` is missing in `Your turn`"


def parameters(notebook: NotebookNode) -> Iterator[str]:
    """One cell, in its part, with exactly the three parameters."""
    cells = tagged(notebook.cells, "parameters")
    part = parts(notebook).get("Parameters", ())
    if [cell.source.strip() for cell in cells] != [PARAMETERS] or cells[0] not in part:
        yield f"`Parameters` holds no single cell tagged `parameters` with exactly {PARAMETERS!r}"


def formula(notebook: NotebookNode) -> Iterator[str]:
    """An answer that would earn ten marks has a formula."""
    if not FORMULA.search(text(notebook.cells)):
        yield "no formula, in $ … $ or $$ … $$"


def questions(notebook: NotebookNode) -> Iterator[str]:
    """Five numbered questions, each with options that open to tell whether they are right, and why."""
    _, *asked = re.split(r"^\*\*(?=\d\. )", text(parts(notebook).get("Check yourself", ())), flags=re.MULTILINE)
    if [question[0] for question in asked] != list("12345"):
        yield f"{len(asked)} numbered questions in `Check yourself`: there should be **1. …** to **5. …**"
    for question in asked:
        feedback = re.findall(r"<summary>.+?</summary>(.*?)</details>", question, re.DOTALL)
        if len(feedback) < 2 or not all(map(str.strip, feedback)):
            yield f"question {question[0]} has fewer than two options, or one without feedback"


def verdict_cell(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """One compared cell, in its part, that printed one verdict for each claim, of which the numbers rise: 4.1, 4.2."""
    cells = tagged(notebook.cells, "nbval-check-output")
    if len(cells) != 1 or cells[0] not in parts(notebook).get("What holds", ()):
        yield "`What holds` holds no single cell tagged `nbval-check-output`"
        return
    yield from (f"not a verdict: {line!r}" for line in verdicts(notebook) if not VERDICT.fullmatch(line))
    numbers = claims_of(notebook)
    if not numbers or numbers != sorted(set(numbers)) or {question for question, _ in numbers} != {question_of(path)}:
        yield f"the verdicts are on {_said(numbers)}; their numbers should rise, from {question_of(path)}.…"
    else:
        yield from shared_claims(numbers, path)


def shared_claims(numbers: list[tuple[int, int]], path: Path) -> Iterator[str]:
    """The notebooks of a question share its claims: none tests another's, and together they leave none out.

    numbers: of the notebook's own claims. A claim may still be missing where one of the notebooks is: its letter is
    left out, or it has no verdicts yet.
    """
    question, elsewhere = question_of(path), others(path)
    for letter, theirs in elsewhere.items():
        if twice := sorted(set(numbers) & set(theirs)):
            yield f"{_said(twice)} has a verdict in notebook {question}{letter}, too"
    letters = sorted([*elsewhere, path.name[2].strip("_")])
    whole = letters == ["", *"bcdefgh"][: len(letters)] and all(elsewhere.values())
    together = {number for _, number in [*numbers, *sum(elsewhere.values(), [])]}
    if whole and (missing := sorted(set(range(1, max(together))) - together)):
        said = _said([(question, number) for number in missing])
        yield f"no verdict on {said} in the notebooks of question {question}"


def _said(numbers):
    return ", ".join(f"{question}.{number}" for question, number in numbers) or "nothing"
