"""The zoo: submissions that go wrong, or are made to cheat, each with what it must get.

Most are of an assignment in NumPy alone: its kernel starts in a fifth of the time. Where TensorFlow matters, they are
of one that imports it.

Each animal is a function from the solved notebook (its written questions unanswered) to what is handed in: None, the
notebook changed in place; a text, for a file; or {file: text}. Its docstring says what happens.
"""

import json
import textwrap
from dataclasses import dataclass

from classroom import cell
from nbformat.v4 import new_code_cell

NAME = "01_tasks"
FULL = 10  # of the tests: psnr has 2, corrupt 3, pairs 2, auroc 3
ANIMALS = {}


@dataclass(frozen=True)
class Animal:
    make: object
    mark: float | None
    status: str = "graded"
    flag: str = ""  # a part of what the report must tell the teacher; "": nothing may be told
    confined: bool = False  # needs bubblewrap: else it would hurt the machine that tests
    assignment: str = NAME


def animal(mark, status="graded", flag="", confined=False, assignment=NAME):
    def keep(make):
        ANIMALS[make.__name__] = Animal(make, mark, status, flag, confined, assignment)
        return make

    return keep


def add(notebook, source, after="setup"):
    """Add a cell of the student's own after another."""
    place = notebook.cells.index(cell(notebook, after)) + 1
    notebook.cells.insert(place, new_code_cell(textwrap.dedent(source).strip("\n")))


def psnr(notebook, body, before=""):
    """Give the first task another answer."""
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ").strip()
    cell(notebook, "psnr").source = f"{textwrap.dedent(before)}\ndef psnr(clean, restored):\n    {body}"


WRONG = "return np.mean((clean - restored) ** 2)"


# Honest ones -------------------------------------------------------------------------------------------------


@animal(FULL, "needs manual grading")
def perfect(notebook):
    """Everything right, the written questions answered."""
    cell(notebook, "written-1").source = "An encoder and a decoder."
    cell(notebook, "written-2").source = "By a threshold on its error."


@animal(0)
def blank(notebook):
    """Nothing done."""
    for name in ("psnr", "corrupt", "pairs", "auroc"):
        cell(notebook, name).source = cell(notebook, name).source.split("\n")[0] + "\n    raise NotImplementedError()"


@animal(8)
def sum_for_mean(notebook):
    """PSNR from the sum over the pixels."""
    psnr(notebook, "return -10 * np.log10(np.sum((clean - restored) ** 2))")


@animal(8)
def natural_logarithm(notebook):
    """PSNR without its decibels."""
    psnr(notebook, "return -10 * np.log(np.mean((clean - restored) ** 2))")


@animal(8)
def wrong_axis(notebook):
    """PSNR of each image."""
    psnr(notebook, "return -10 * np.log10(np.mean((clean - restored) ** 2, axis=-1))")


@animal(9)
def not_clipped(notebook):
    """Partial credit: the noise is right, the range is not."""
    cell(notebook, "corrupt").source = "def corrupt(x, sigma, rng):\n    return x + rng.normal(0, sigma, x.shape)"


@animal(7)
def turned_round(notebook):
    """The AUROC of the normal ones."""
    cell(notebook, "auroc").source = "def auroc(normal, odd):\n    return np.mean(normal[:, None] > odd[None, :])"


@animal(8)
def syntax_error(notebook):
    """An answer that is no Python."""
    cell(notebook, "psnr").source = "def psnr(clean, restored:\n    return 0"


@animal(FULL)
def raises_in_a_cell(notebook):
    """An error in a cell of the student's own."""
    add(notebook, "1 / 0")


@animal(12, assignment="06_vae")
def stderr_noise(notebook):
    """A right answer that writes to stderr, as TensorFlow does, which nbgrader takes for an error."""
    cell(notebook, "kl").source += (
        "\n_right = kl\ndef kl(mean, log_variance):\n    import sys, warnings\n"
        "    print('careful', file=sys.stderr)\n    warnings.warn('old')\n    return _right(mean, log_variance)"
    )


@animal(FULL)
def unknown_kernel(notebook):
    """Saved with a kernel that is not here."""
    notebook.metadata.kernelspec = {"name": "julia-9", "display_name": "Julia", "language": "julia"}


@animal(FULL, flag="the notebook is called my work (final).ipynb")
def renamed(notebook):
    """Handed in under another name."""
    return {"my work (final).ipynb": notebook}


@animal(FULL, flag="copied the cell psnr, both run")
def copied_answer(notebook):
    """An answer cell copied and pasted, which ends nbgrader's whole run."""
    place = notebook.cells.index(cell(notebook, "psnr"))
    notebook.cells.insert(place, notebook.cells[place].copy())


@animal(FULL, flag="copied the cell psnr-test, removed")
def copied_test(notebook):
    """A test cell copied and pasted."""
    place = notebook.cells.index(cell(notebook, "psnr-test"))
    notebook.cells.insert(place, notebook.cells[place].copy())


@animal(8, flag="deleted the cell psnr-hidden")
def deleted_cells(notebook):
    """An answer deleted, and its tests."""
    for name in ("psnr", "psnr-test", "psnr-hidden"):
        notebook.cells.remove(cell(notebook, name))


@animal(FULL, flag="deleted the cell psnr")
def answer_in_a_cell_of_its_own(notebook):
    """The answer cell deleted, the answer in another."""
    mine = cell(notebook, "psnr")
    place = notebook.cells.index(mine)
    notebook.cells[place] = new_code_cell(mine.source)


# Those that cannot be graded ---------------------------------------------------------------------------------


@animal(None, "failed", "")
def broken_json(notebook):
    """Cut off by a full disk."""
    return {"01_tasks.ipynb": json.dumps(notebook)[:5000]}


@animal(None, "failed", "")
def no_notebook(notebook):
    """A report, but no notebook."""
    return {"essay.txt": "The dog ate it."}


@animal(None, "failed", "")
def two_notebooks(notebook):
    """Two notebooks, neither of which has the right name."""
    return {"a.ipynb": notebook, "b.ipynb": notebook}


@animal(None, "failed", "")
def another_notebook(notebook):
    """A notebook with none of the assignment's cells."""
    for c in notebook.cells:
        c.metadata = {}


# Endless loops and ends --------------------------------------------------------------------------------------


@animal(FULL, flag="ran longer than")
def loop_in_a_cell(notebook):
    """Costs the cell, and nothing else."""
    add(notebook, "while True:\n    pass")


@animal(8, flag="psnr-test ran longer than")
def loop_in_a_function(notebook):
    """Costs the tests that call it."""
    psnr(notebook, "while True:\n    pass")


@animal(8, flag="ran longer than")
def loop_that_swallows_interrupts(notebook):
    """Cannot be interrupted, only ended."""
    psnr(
        notebook,
        """
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass""",
    )


@animal(FULL, flag="ended the kernel")
def exits_in_a_cell(notebook):
    """os._exit ends the kernel; every other cell counts."""
    add(notebook, "import os\nos._exit(0)", after="pairs-hidden")


@animal(8, flag="psnr-test ended the kernel")
def exits_in_a_function(notebook):
    """os._exit where a test calls it."""
    psnr(notebook, "import os\nos._exit(0)")


@animal(FULL, flag="uses exit")
def sys_exit(notebook):
    """Harmless in a notebook."""
    add(notebook, "import sys\nsys.exit(0)")


# Floods ------------------------------------------------------------------------------------------------------


@animal(FULL, flag=None)
def output_in_many_lines(notebook):
    """100 MB in a million lines."""
    add(notebook, "for i in range(1_000_000):\n    print('x' * 99)")


@animal(FULL, flag=None)
def output_in_one_line(notebook):
    """100 MB in a line."""
    add(notebook, "print('x' * 100_000_000)")


@animal(12, confined=True, assignment="06_vae")
def memory(notebook):
    """20 GB, beside TensorFlow: a MemoryError, which costs the cell."""
    add(notebook, "hog = bytearray(20 << 30)\nfor i in range(0, len(hog), 4096):\n    hog[i] = 1")


@animal(FULL, flag="uses fork", confined=True)
def fork_bomb(notebook):
    """Processes without end, until there may be no more."""
    add(
        notebook,
        """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass""",
    )


@animal(FULL, confined=True)
def large_file(notebook):
    """A file of 1 GB: too large."""
    add(notebook, "with open('large', 'wb') as file:\n    for _ in range(1000):\n        file.write(bytes(1 << 20))")


# Cheats ------------------------------------------------------------------------------------------------------


@animal(8, flag="changed the points of psnr-test")
def changed_tests(notebook):
    """Tests emptied, points raised, for a wrong answer: all restored."""
    psnr(notebook, WRONG)
    for name in ("psnr-test", "psnr-hidden"):
        cell(notebook, name).source = "pass"
        cell(notebook, name).metadata.nbgrader.points = 50


@animal(8, flag="psnr uses display")
def forged_result(notebook):
    """Shows a result of its own before the test fails, which nbgrader takes for the points."""
    psnr(
        notebook,
        """
        from IPython import get_ipython
        get_ipython().displayhook.exec_result = None
        get_ipython().displayhook(2.0)
        return 1 / 0""",
    )


@animal(8, flag="changed while running: IPython's showtraceback")
def no_tracebacks(notebook):
    """Hides that a test has failed."""
    psnr(notebook, WRONG, before="get_ipython().showtraceback = lambda *a, **k: None")


@animal(8, flag="changed while running: numpy.allclose, numpy.testing.assert_allclose")
def patched_numpy(notebook):
    """Changes NumPy's comparisons, which the tests do not use."""
    psnr(
        notebook,
        WRONG,
        before="""
        np.allclose = lambda *a, **k: True
        np.testing.assert_allclose = lambda *a, **k: None""",
    )


@animal(FULL, flag="psnr-test accepts a wrong answer")
def patched_marks(notebook):
    """Changes the comparison itself: it gains, and is told."""
    psnr(notebook, WRONG, before="marks.close = lambda *a, **k: None")


@animal(8, flag="changed while running: the name marks")
def other_marks(notebook):
    """Puts something else in the place of the comparison, which gains a point, and asks for 99, which gains none."""
    cell(notebook, "corrupt").source = textwrap.dedent("""
        class marks:
            close = staticmethod(lambda *a, **k: None)
            score = staticmethod(lambda *a, **k: 99.0)
        def corrupt(x, sigma, rng):
            return x""")
    add(
        notebook,
        "from helpers import marks as _m\nmarks.score = _m.score\nmarks.close = _m.close",
        after="corrupt-hidden",
    )
    add(notebook, "marks.close = lambda *a, **k: None", after="auroc-hidden")


@animal(None, flag="accepts a wrong answer")
def strips_assertions(notebook):
    """Rewrites the tests as they are compiled: no comparison, the most points."""
    psnr(
        notebook,
        WRONG,
        before="""
        import ast
        class Strip(ast.NodeTransformer):
            def visit_Expr(self, node):
                code = ast.unparse(node)
                if code.startswith("marks.close"):
                    return ast.parse("None").body[0]
                if code.startswith("marks.score"):
                    return ast.parse(f"float({node.value.args[0].value})").body[0]
                return node
        get_ipython().ast_transformers.append(Strip())""",
    )


@animal(FULL, flag="prints hidden tests, withheld")
def prints_hidden_tests(notebook):
    """Has every cell printed before it runs."""
    add(notebook, "get_ipython().events.register('pre_run_cell', lambda info: print(info.raw_cell))")


@animal(FULL, flag="", confined=True)
def reads_hidden_tests(notebook):
    """Looks for the teacher's notebook, where grading knows it, and everywhere else."""
    add(
        notebook,
        """
        import pathlib
        for folder in ("COURSE", "/home", "/tmp", "/root", ".", ".."):
            for path in sorted(pathlib.Path(folder).glob("**/*.ipynb"))[:3]:
                print("FOUND", path, path.read_text())""",
    )


@animal(FULL, flag="uses gradebook, sqlite3", confined=True)
def changes_the_gradebook(notebook):
    """Gives itself marks where marks are kept."""
    add(
        notebook,
        """
        import sqlite3
        book = sqlite3.connect("COURSE/gradebook.db")
        book.execute("update grade set manual_score = 50")
        book.commit()""",
    )


@animal(FULL, flag="", confined=True)
def writes_outside(notebook):
    """Leaves a file wherever it can."""
    add(
        notebook,
        """
        import pathlib
        for folder in ("COURSE", "COURSE/autograded", "COURSE/source/01_tasks", "/tmp", "/home", "/root", "/usr", ".."):
            try:
                pathlib.Path(folder, "was_here.txt").write_text("me")
            except OSError:
                pass""",
    )


@animal(FULL, flag="uses socket", confined=True)
def network(notebook):
    """Calls the machine it runs on."""
    add(notebook, "import socket\nsocket.create_connection(('127.0.0.1', PORT), 5).send(b'hello')")


@animal(FULL, flag="uses kill", confined=True)
def kills_its_parent(notebook):
    """Sends a signal to whoever started it, and to everybody."""
    add(notebook, "import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)", after="auroc-hidden")


@animal(FULL, flag="ignored the file helpers/marks.py")
def brings_its_own_modules(notebook):
    """Files that would be imported in place of the real ones."""
    return {"01_tasks.ipynb": notebook, "numpy.py": "1 / 0", "helpers/marks.py": "close = print", "note.txt": "Hello"}


@animal(FULL, flag="psnr-test accepts a wrong answer")
def first_of_all(notebook):
    """A cell before the first, and the comparison's inside changed: it gains, and is told."""
    notebook.cells.insert(
        0,
        new_code_cell(
            "import numpy as np\nnp.allclose = lambda *a, **k: True\n"
            "from helpers import marks\nmarks._near = lambda *a: True"
        ),
    )
    psnr(notebook, WRONG)
