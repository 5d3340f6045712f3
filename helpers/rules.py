"""The rules that notebooks keep beyond `helpers.publish.problems`: parts, grammar, and what stands where.

A rule is a function from a notebook to sentences that say what is wrong; none means that all is well.
"""
import re
from pathlib import Path

import nbformat

from helpers.publish import numbered, problems

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]*_*.ipynb"))       # 06b_families goes on where 06_vae ends
PARTS = ("Parameters", "Predict first", "Experiments", "Lab", "Verdicts", "Common mistakes", "Check yourself",
         "Your turn")
PARAMETERS = 'DATASET = "digits"\nSEED = 42'
VERDICT = re.compile(r"(\d\.\d+) (?:holds|fails|depends: .+)")


def everything(notebook, question, claims_before=0):
    """All that is wrong with a notebook. question: its number, or 0 for a page that tests no claim."""
    rules = [*problems(notebook), *grammar(notebook), *registries(notebook)]
    if question:
        rules += [*order(notebook, question), *parameters(notebook), *lab(notebook), *questions(notebook),
                  *verdict_cell(notebook, question, claims_before)]
    return rules


def question_of(path):
    """The question that a notebook answers: 04_under_overcomplete.ipynb → 4, 06b_families.ipynb → 6."""
    return int(path.name[:2])


def claims_before(path):
    """How many claims the earlier notebooks of the same question test: 12 for 06b_families.ipynb, else 0."""
    earlier = [other for other in NOTEBOOKS if question_of(other) == question_of(path) and other.name < path.name]
    return sum(len(verdicts(nbformat.read(other, as_version=4))) for other in earlier)


def parts(notebook):
    """{heading: cells} of the second-level headings, in order; the cells before the first stand under ''."""
    found, heading = {"": []}, ""
    for cell in notebook.cells:
        match = re.search(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        heading = match[1].strip() if match else heading
        found.setdefault(heading, []).append(cell)
    return found


def code(notebook, part):
    """The code of a part, as one text."""
    return "\n".join(cell.source for cell in parts(notebook).get(part, ()) if cell.cell_type == "code")


def tagged(cells, tag):
    """Those of the cells that carry a tag."""
    return [cell for cell in cells if tag in cell.metadata.get("tags", ())]


def verdicts(notebook):
    """The lines that the verdict cell printed."""
    return "".join(output.get("text", "") for cell in tagged(notebook.cells, "nbval-check-output")
                   for output in cell.outputs).splitlines()


# The rules ------------------------------------------------------------------------------------------------

def grammar(notebook):
    """Short cells, led by prose, and never three code cells in a row."""
    kinds = [cell.cell_type for cell in notebook.cells]
    lengths = [len(cell.source.strip().splitlines()) for _, cell in numbered(notebook)]
    for most, share in ((5, 0.6), (13, 0.9)):
        if (short := sum(n <= most for n in lengths)) < share * len(lengths):
            yield f"{short} of {len(lengths)} code cells have at most {most} lines: fewer than {share:.0%}"
    led = sum(pair == ("markdown", "code") for pair in zip(kinds, kinds[1:]))
    if led < 0.8 * kinds.count("code"):
        yield f"{led} of {kinds.count('code')} code cells follow prose: fewer than 80%"
    if ["code"] * 3 in [kinds[i:i + 3] for i in range(len(kinds))]:
        yield "three code cells in a row"


def registries(notebook):
    """A notebook installs nothing, so it names no package registry."""
    text = "\n".join(cell.source for cell in notebook.cells)
    for host in sorted(set(re.findall(r"py(?:pi|thonhosted)\.org|registry\.npm\w*|deb\.debian", text))):
        yield f"the package registry {host} is named"


def order(notebook, question):
    """The title, the eight parts after it, and the sources."""
    found = parts(notebook)
    if not (found[""] and re.match(rf"# {question}b? · ", found[""][0].source)):
        yield f"the first cell is not the title `# {question} · …`"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+?)\s*$", prose, re.MULTILINE)
    if tuple(headings) != PARTS:
        yield f"the parts are {', '.join(headings) or 'missing'}; they should be {', '.join(PARTS)}"
    if not any(re.search(r"^### Sources$", cell.source, re.MULTILINE) for cell in found.get("Your turn", ())):
        yield "`### Sources` is missing in `Your turn`"


def parameters(notebook):
    """One cell, in its part, with exactly the two parameters."""
    cells = tagged(notebook.cells, "parameters")
    part = parts(notebook).get("Parameters", ())
    if [cell.source.strip() for cell in cells] != [PARAMETERS] or cells[0] not in part:
        yield f"`Parameters` holds no single cell tagged `parameters` with exactly {PARAMETERS!r}"


def lab(notebook):
    """A lab calls neither `predict`, 50 ms a call, nor pyplot, which is not safe in a callback's thread."""
    if not code(notebook, "Lab"):
        yield "the part `Lab` has no code"
    for word in sorted(set(re.findall(r"\bpredict\(|\bplt\.", code(notebook, "Lab")))):
        yield f"`{word}` in the lab: call the model itself, and draw with helpers.plots"


def questions(notebook):
    """Five numbered questions, each with options that open to tell whether they are right, and why."""
    text = "\n".join(cell.source for cell in parts(notebook).get("Check yourself", ()))
    _, *asked = re.split(r"^\*\*(?=\d\. )", text, flags=re.MULTILINE)
    if [question[0] for question in asked] != list("12345"):
        yield f"{len(asked)} numbered questions in `Check yourself`: there should be **1. …** to **5. …**"
    for question in asked:
        feedback = re.findall(r"<summary>.+?</summary>(.*?)</details>", question, re.DOTALL)
        if len(feedback) < 2 or not all(map(str.strip, feedback)):
            yield f"question {question[0]} has fewer than two options, or one without feedback"


def verdict_cell(notebook, question, before=0):
    """One compared cell, in its part, that printed one verdict for each claim: 4.1, 4.2 and so on."""
    cells = tagged(notebook.cells, "nbval-check-output")
    if len(cells) != 1 or cells[0] not in parts(notebook).get("Verdicts", ()):
        yield "`Verdicts` holds no single cell tagged `nbval-check-output`"
        return
    read = [(line, VERDICT.fullmatch(line)) for line in verdicts(notebook)]
    yield from (f"not a verdict: {line!r}" for line, match in read if not match)
    numbers = [match[1] for _, match in read if match]
    if not numbers or numbers != [f"{question}.{before + i}" for i in range(1, len(numbers) + 1)]:
        said = ", ".join(numbers) or "nothing"
        yield f"the verdicts are on {said}; they should run from {question}.{before + 1} without a gap"
