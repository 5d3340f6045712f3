"""The formgrader as it runs, in Chromium: of what a student has written, nothing runs."""

import sys
from pathlib import Path

import pytest
from classroom import cell, hand_in, make_course, solved
from evil import EVIL, hostile_cells

from helpers.grading import configuration
from helpers.grading.run import grade

sys.path.append(str(Path(__file__).resolve().parents[1] / "browser"))
from jupyter_driver import Server, chromium, missing  # noqa: E402

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no browser: {missing()}")
NAME = "01_tasks"
# Whatever runs EVIL is counted, in every frame.
COUNT = """window.ran = 0
Object.defineProperty(window, "EVIL", {get() { window.ran += 1; return 1 }, set() { window.ran += 1 }})"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one hostile submission, graded."""
    course = make_course(tmp_path_factory.mktemp("browser") / "course", NAME)
    notebook = solved(course, NAME)
    cell(notebook, "written-1").source = "**Good** [link](https://EVIL.example)\n\n" + "\n\n".join(EVIL)
    notebook.cells += hostile_cells()
    hand_in(course.root.parent / "in", "eve", NAME, notebook)
    grade(NAME, course.root.parent / "in", course.root, jobs=1, show=False)
    root = str(course.root)
    (course.root / "nbgrader_config.py").write_text(
        f"from helpers.grading.configuration import configure\nconfigure(get_config(), {root!r})"
    )
    return course


@pytest.fixture(scope="module")
def page():
    with chromium() as page:
        page.add_init_script(COUNT)
        yield page


def ran(page):
    """How often EVIL ran, once the page has had time for it."""
    page.wait_for_timeout(500)
    return sum(frame.evaluate("window.ran || 0") for frame in page.frames)


def click_everything(page):
    """Click what a student can have put there to be clicked, without leaving the page."""
    page.evaluate("document.addEventListener('click', e => e.target.closest('a[href^=http]') && e.preventDefault())")
    page.evaluate(
        "document.querySelectorAll('a:not([href^=http]):not([href^=\\\\/]), details, button').forEach(a => a.click())"
    )


def test_what_runs_is_noticed(page, tmp_path):
    inside = "<iframe srcdoc='<script>EVIL</script>'></iframe><a href='javascript:EVIL'>x</a>"
    (tmp_path / "page.html").write_text(f"<img src=x onerror='EVIL'><script>EVIL</script>{inside}")
    page.goto((tmp_path / "page.html").as_uri())
    click_everything(page)
    assert ran(page) == 4


def test_nothing_runs_in_the_feedback(page, course):
    page.goto((course.root / "feedback/eve" / NAME / f"{NAME}.html").as_uri())
    assert page.get_by_text("Good", exact=True).first.is_visible()
    click_everything(page)
    assert ran(page) == 0


def test_nothing_runs_in_the_formgrader(page, course, monkeypatch):
    monkeypatch.chdir(course.root)  # where nbgrader looks for its configuration
    with configuration.gradebook(course.root) as book:
        where = book.find_submission_notebook(NAME, NAME, "eve").id
    fetched = []
    page.on("request", lambda request: fetched.append((request.method, request.url)))
    with Server(course.root, "lab") as server:
        page.goto(f"{server.address}/formgrader/submissions/{where}/?token={server.token}")
        page.wait_for_selector("text=Submission #1")
        assert page.get_by_text("Good", exact=True).first.is_visible()
        click_everything(page)
        assert ran(page) == 0
    assert not [url for method, url in fetched if "EVIL" in url or method not in ("GET", "HEAD", "OPTIONS")]
    with configuration.gradebook(course.root) as book:
        assert all(not grade.extra_credit for grade in book.find_submission_notebook(NAME, NAME, "eve").grades)
