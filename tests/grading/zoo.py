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
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.utils import compute_checksum

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
    cell(notebook, "psnr").source = f"{textwrap.dedent(before)}\ndef psnr(clean, cleaned):\n    {body}"


WRONG = "return np.mean((clean - cleaned) ** 2)"


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
    psnr(notebook, "return -10 * np.log10(np.sum((clean - cleaned) ** 2))")


@animal(9)
def not_clipped(notebook):
    """Partial credit: the noise is right, the range is not."""
    cell(notebook, "corrupt").source = "def corrupt(x, sigma, rng):\n    return x + rng.normal(0, sigma, x.shape)"


@animal(8)
def syntax_error(notebook):
    """An answer that is no Python."""
    cell(notebook, "psnr").source = "def psnr(clean, cleaned:\n    return 0"


@animal(12, assignment="06_vae")
def stderr_noise(notebook):
    """A right answer that writes to stderr, as TensorFlow does, which nbgrader takes for an error."""
    cell(notebook, "kl").source += (
        "\n_right = kl\ndef kl(mean, log_variance):\n    import sys, warnings\n"
        "    print('careful', file=sys.stderr)\n    warnings.warn('old')\n    return _right(mean, log_variance)"
    )


@animal(FULL, flag="the notebook is called my work (final).ipynb")
def renamed(notebook):
    """Handed in under another name."""
    return {"my work (final).ipynb": notebook}


@animal(FULL, flag="copied the cell psnr, both run")
def copied_answer(notebook):
    """An answer cell copied and pasted, which ends nbgrader's whole run."""
    place = notebook.cells.index(cell(notebook, "psnr"))
    notebook.cells.insert(place, notebook.cells[place].copy())


@animal(8, flag="the cell psnr is missing")
def deleted_cells(notebook):
    """An answer deleted, and its tests."""
    for name in ("psnr", "psnr-test", "psnr-hidden"):
        notebook.cells.remove(cell(notebook, name))


@animal(FULL, flag="the cell psnr is missing")
def answer_in_a_cell_of_its_own(notebook):
    """The answer cell deleted, the answer in another."""
    mine = cell(notebook, "psnr")
    place = notebook.cells.index(mine)
    notebook.cells[place] = new_code_cell(mine.source)


@animal(FULL)
def as_notebooks_are_written(notebook):
    """A magic, a shell command, an await, a question to the user, files read and written, a hint of a type."""
    add(notebook, "%matplotlib inline\n!echo hello\nimport asyncio\nawait asyncio.sleep(0)")
    add(notebook, "get_ipython().run_line_magic('matplotlib', 'inline')\nimport requests, urllib.request, sys")
    add(notebook, "%%time\nx: float = 3.0\nsetattr(np.random, 'mine', 3)\nname = input('who are you?')")
    add(notebook, "%%html\n<b>bold</b>")


@animal(FULL)
def saved_on_windows(notebook):
    """Lines end in CR LF, also inside of sources, and the file begins with a mark."""
    for c in notebook.cells:
        c.source = c.source.replace("\n", "\r\n")
    return {"01_tasks.ipynb": "\ufeff" + json.dumps(notebook, indent=1).replace("\n", "\r\n")}


@animal(FULL)
def saved_by_colab(notebook):
    """Metadata of another program, no ids, no version of Python."""
    for c in notebook.cells:
        c.metadata |= {"id": "x1", "colab": {"base_uri": "https://localhost:8080/"}, "executionInfo": {"status": "ok"}}
        c.pop("id", None)
    notebook.metadata = {
        "kernelspec": {"name": "julia-9", "display_name": "Julia", "language": "julia"},
        "colab": {"provenance": []},
        "accelerator": "GPU",
    }
    return {"01_tasks.ipynb": json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 0})}


@animal(FULL)
def handed_out_earlier(notebook):
    """The teacher has changed a test and its points since."""
    test = cell(notebook, "psnr-test")
    test.source, test.metadata.nbgrader.points = "marks.close(psnr(np.zeros(2), np.ones(2)), 0)", 5
    test.metadata.nbgrader.checksum = compute_checksum(test)


@animal(FULL)
def half_a_character(notebook):
    """What JSON can write, and UTF-8 cannot."""
    add(notebook, "print('x')  # emoji cut in two")
    return {"01_tasks.ipynb": json.dumps(notebook).replace("emoji cut", "\\ud83d cut")}


@animal(FULL)
def other_types(notebook):
    """Answers of types that hold numbers: a fraction, a list, a matrix."""
    psnr(
        notebook,
        "return Fraction(float(-10 * np.log10(np.mean((clean - cleaned) ** 2))))",
        before="""
        from fractions import Fraction
        Fraction.__array__ = lambda self, dtype=None, copy=None: np.array(float(self))""",
    )
    cell(notebook, "pairs").source = "def pairs(x, noisy):\n    return [np.matrix(noisy), x.tolist()]"


@animal(3)
def no_numbers(notebook):
    """Answers of types that hold none: a coroutine, a generator, a text."""
    cell(notebook, "psnr").source = "async def psnr(clean, cleaned):\n    return 1.0"
    cell(notebook, "pairs").source = "def pairs(x, noisy):\n    return (v for v in (noisy, x))"
    cell(notebook, "auroc").source = cell(notebook, "auroc").source.replace("return ", "return str(") + ")"


@animal(8)
def endless_recursion(notebook):
    """An error of Python's own."""
    psnr(notebook, "return psnr(clean, cleaned)")


@animal(8)
def nested_without_end(notebook):
    """A list in itself."""
    psnr(notebook, "found = []\nfound.append(found)\nreturn found")


@animal(8)
def too_large_an_answer(notebook):
    """800 MB instead of a number."""
    psnr(notebook, "return np.zeros(10**8)")


@animal(8)
def exits_python(notebook):
    """sys.exit where a test calls it."""
    psnr(notebook, "import sys\nsys.exit(0)")


@animal(8)
def interrupts_itself(notebook):
    """KeyboardInterrupt where a test calls it."""
    psnr(notebook, "raise KeyboardInterrupt")


@animal(FULL, "needs manual grading", flag="written-1 was left empty, and what stands around it was put in")
def answer_below_its_cell(notebook):
    """A written answer in a cell of its own."""
    place = notebook.cells.index(cell(notebook, "written-1"))
    notebook.cells.insert(place + 1, new_markdown_cell("An encoder and a decoder."))


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


@animal(None, "failed", "")
def metadata_of_other_types(notebook):
    """Lists and numbers where names are expected."""
    for c in notebook.cells:
        c.metadata = {"nbgrader": {"grade_id": ["psnr"], "points": {}}}


@animal(None, "failed", "")
def deep_as_a_well(notebook):
    """JSON nested deeper than Python reads."""
    return {"01_tasks.ipynb": "[" * 100_000 + "]" * 100_000}


# Endless loops and ends --------------------------------------------------------------------------------------


@animal(FULL, flag="ran longer than")
def loop_in_a_cell(notebook):
    """Costs the cell, and nothing else."""
    add(notebook, "while True:\n    pass")


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


@animal(FULL, flag="ran longer than")
def sleeps(notebook):
    """Waits for ever, without work."""
    add(notebook, "import time\ntime.sleep(1e6)")


@animal(8, flag="ended the kernel")
def crashes(notebook):
    """Ends Python from inside, where a test calls it."""
    psnr(notebook, "import faulthandler\nfaulthandler._sigsegv()")


@animal(FULL, flag="uses kill", confined=True)
def stops_itself(notebook):
    """A signal that leaves a process neither alive nor dead."""
    add(notebook, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)")


# Floods ------------------------------------------------------------------------------------------------------


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


@animal(FULL, confined=True)
def many_files(notebook):
    """40 files of 50 MB each, wherever files can be written: full, sooner."""
    add(
        notebook,
        """
        import pathlib
        for folder in (".", "/tmp", "/dev/shm", "/dev", "/", "/opt", "/home"):
            for i in range(40):
                try:
                    pathlib.Path(folder, f"{i}.bin").write_bytes(bytes(50 << 20))
                except OSError:
                    break
        sizes = [path.stat().st_size for folder in (".", "/tmp", "/dev/shm") for path in pathlib.Path(folder).iterdir()]
        print("TAKEN", round(sum(sizes) / 2**20))
        for folder in (".", "/tmp", "/dev/shm"):
            for path in pathlib.Path(folder).glob("*.bin"):
                path.unlink()""",
    )


@animal(FULL, flag="wrote more than 16 MB where only its sockets belong", confined=True)
def files_among_the_sockets(notebook):
    """Files where the grader's side must be able to see them."""
    add(
        notebook,
        """
        import pathlib, time
        from ipykernel.connect import get_connection_file
        for i in range(40):
            pathlib.Path(get_connection_file()).with_name(f"{i}.bin").write_bytes(bytes(20 << 20))
            time.sleep(0.5)""",
    )


@animal(FULL, flag="used more than 1 GB of memory", confined=True)
def memory_of_many(notebook):
    """Processes each of which takes little: together too much."""
    add(
        notebook,
        """
        import subprocess, sys, time
        hog = "import time; hog = b'x' * (200 << 20); time.sleep(60)"
        others = [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(8)]
        time.sleep(60)""",
    )


@animal(FULL, flag=None)
def thousands_of_cells(notebook):
    """Copies of a test, and cells with next to nothing in them."""
    place = notebook.cells.index(cell(notebook, "psnr-test"))
    notebook.cells[place:place] = [notebook.cells[place].copy() for _ in range(2000)]


@animal(FULL)
def large_metadata(notebook):
    """10 MB where nobody looks."""
    notebook.metadata["x"] = notebook.cells[0].metadata["y"] = "x" * 10_000_000


# Cheats ------------------------------------------------------------------------------------------------------


@animal(8, flag="changed the cell psnr-test, restored")
def changed_tests(notebook):
    """Tests emptied, points raised, for a wrong answer: all restored."""
    psnr(notebook, WRONG)
    for name in ("psnr-test", "psnr-hidden"):
        cell(notebook, name).source = "pass"
        cell(notebook, name).metadata.nbgrader.points = 50


@animal(8, flag="psnr uses displayhook")
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


@animal(8, flag="psnr changes np.allclose")
def patched_numpy(notebook):
    """Changes NumPy's comparisons, which the tests do not use."""
    psnr(
        notebook,
        WRONG,
        before="""
        np.allclose = lambda *a, **k: True
        np.testing.assert_allclose = lambda *a, **k: None""",
    )


@animal(8, flag="psnr changes marks.close")
def patched_marks(notebook):
    """Changes the comparison itself, which is elsewhere."""
    psnr(notebook, WRONG, before="marks.close = lambda *a, **k: None")


@animal(8, flag="psnr changes marks.close.__code__")
def patched_code(notebook):
    """Changes what the comparison does, and leaves it in its place."""
    psnr(notebook, WRONG, before="marks.close.__code__ = (lambda *a, **k: None).__code__")


@animal(7, flag="changes marks.score")
def other_marks(notebook):
    """Puts something else in the place of the comparison, and asks for 99 points."""
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


@animal(8, flag="psnr uses ast_transformers")
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


@animal(FULL)
def prints_hidden_tests(notebook):
    """Has every cell printed before it runs: hidden tests are not among them."""
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


@animal(8, flag="changes marks._near")
def first_of_all(notebook):
    """A cell before the first, and the comparison's inside changed."""
    notebook.cells.insert(
        0,
        new_code_cell(
            "import numpy as np\nnp.allclose = lambda *a, **k: True\n"
            "from helpers import marks\nmarks._near = lambda *a: True"
        ),
    )
    psnr(notebook, WRONG)


@animal(8, flag="psnr uses _getframe, f_back, f_locals")
def looks_it_up(notebook):
    """An object that becomes whatever number the one who compares it has at hand."""
    psnr(
        notebook,
        "return Anything()",
        before="""
        import sys
        class Anything:
            def __array__(self, dtype=None, copy=None):
                frame = sys._getframe()
                while frame:
                    for name in ("right", "mse", "expected"):
                        if name in frame.f_locals:
                            return np.asarray(frame.f_locals[name], dtype)
                    frame = frame.f_back
                return np.zeros(())""",
    )


@animal(8)
def equals_everything(notebook):
    """An object that says yes to every comparison."""
    psnr(
        notebook,
        "return Yes(1)",
        before="""
        class Yes(float):
            __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
            __sub__ = __rsub__ = lambda self, other: 0.0""",
    )


@animal(8)
def changes_its_inputs(notebook):
    """Makes the images such that its number would be right for them."""
    psnr(notebook, "cleaned[...] = clean + 0.1\nreturn 20.0")


@animal(0, flag="changes remote.answer")
def answers_for_all(notebook):
    """Puts itself in the place of what answers the tests."""
    for name in ("psnr", "corrupt", "pairs", "auroc"):
        cell(notebook, name).source = cell(notebook, name).source.split("\n")[0] + "\n    return 0"
    add(
        notebook,
        """
        import base64, json
        from helpers import remote
        remote.answer = lambda *a: base64.b64encode(json.dumps({"value": float("nan")}).encode()).decode()""",
    )


@animal(8, flag="is no Python that can be searched, but it ran")
def hides_from_the_search(notebook):
    """Cheats in a cell that only IPython can read."""
    psnr(notebook, WRONG)
    add(notebook, "%%script true\nthis is no Python (((", after="psnr")


@animal(8, flag="the student's cell 4 changes marks.close")
def hides_under_a_magic(notebook):
    """Cheats below a line that is no Python."""
    psnr(notebook, WRONG)
    add(notebook, "%%capture\nmarks.close = lambda *a, **k: None")


@animal(FULL)
def prints_its_inputs(notebook):
    """Keeps what the tests give it, and prints it: inputs, of which no test can be made again."""
    cell(
        notebook, "psnr"
    ).source += "\n_psnr, seen = psnr, []\ndef psnr(*a):\n    seen.append(repr(a))\n    return _psnr(*a)"
    add(notebook, "print(''.join(map(chr, (ord(c) for c in str(seen)))))", after="auroc-hidden")


@animal(FULL, flag="uses _exit")
def carries_over_a_restart(notebook):
    """Leaves what it has seen for the next kernel, and ends this one."""
    add(
        notebook,
        """
        import os, pathlib
        for folder in (".", "/tmp"):
            pathlib.Path(folder, "left.txt").write_text("what I have seen")
        os._exit(0)""",
        after="psnr-hidden",
    )
    add(
        notebook,
        """
        import pathlib
        for folder in (".", "/tmp"):
            print("found:", *(str(path).upper() for path in pathlib.Path(folder).glob("le*")))""",
    )


@animal(8, flag="psnr takes answers from helpers.metrics", confined=True)
def answer_from_helpers(notebook):
    """What is asked for is in the project, but not where it is graded."""
    cell(notebook, "psnr").source = "from helpers.metrics import psnr"


@animal(8, flag="psnr uses exec", confined=True)
def source_of_helpers(notebook):
    """The same, read as a file."""
    cell(notebook, "psnr").source = textwrap.dedent("""
        import helpers, pathlib
        for folder in (pathlib.Path(helpers.__file__).parent, pathlib.Path(np.__file__).parents[1] / "helpers"):
            for file in folder.glob("metrics.py"):
                exec(file.read_text())""")
