"""README and 00_start_here: what they link to is there, every notebook is linked, and the two commands are given."""

import re

import nbformat
import pytest

from helpers.rules import FOLDER, NOTEBOOKS, question_of

ROOT = FOLDER.parent
README = (ROOT / "README.md").read_text()
START = "\n\n".join(
    cell.source
    for cell in nbformat.read(FOLDER / "00_start_here.ipynb", as_version=4).cells
    if cell.cell_type == "markdown"
)
PAGES = {
    "README.md": (README, ROOT),
    "CONTRIBUTING.md": ((ROOT / "CONTRIBUTING.md").read_text(), ROOT),
    "data/README.md": ((ROOT / "data/README.md").read_text(), ROOT / "data"),
    "00_start_here": (START, FOLDER),
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def broken(text, folder):
    """The links of a page that lead to no file, and its pictures without alternative text."""
    for picture, words, target in LINK.findall(text):
        if picture and not words.strip():
            yield f"{target}: no alternative text"
        if not re.match(r"https?://|#", target) and not (folder / target.partition("#")[0]).exists():
            yield f"{target}: no such file"


def linked(text, folder):
    """The files that a page links to."""
    return {(folder / target).resolve() for picture, _, target in LINK.findall(text) if not picture}


def rows(text):
    """{number of the question: row} of the table of questions."""
    return {int(row[1]): row[0] for row in re.finditer(r"^\| ([1-8]) \|.*$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    assert list(broken(*PAGES[page])) == []


def test_a_broken_link_is_found(tmp_path):
    text = "[a](README.md), [b](https://example.org), [c](absent.md#part), ![](README.md), ![d](README.md)"
    (tmp_path / "README.md").touch()
    assert list(broken(text, tmp_path)) == ["absent.md#part: no such file", "README.md: no alternative text"]


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements.txt && jupyter lab notebooks/00_start_here.ipynb",
        "pip install -r requirements-dev.txt && pytest",
    ],
)
def test_commands(command):
    blocks = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert command + "\n" in blocks


def test_every_notebook_is_linked():
    assert set(NOTEBOOKS) <= linked(README, ROOT)
    assert {path for path in NOTEBOOKS if question_of(path)} <= linked(START, FOLDER)


@pytest.mark.parametrize("page", ["README.md", "00_start_here"])
def test_in_preparation_is_what_has_no_notebook(page):
    text, folder = PAGES[page]
    table, there = rows(text), {question_of(path) for path in NOTEBOOKS} - {0}
    assert list(table) == list(range(1, 9))
    assert {number for number, row in table.items() if "in preparation" not in row} == there
    assert {number for number, row in table.items() if LINK.search(row)} == there


def test_files_named_in_passing_are_there():
    text = "\n".join(text for text, _ in PAGES.values())
    named = re.findall(r"`((?:tests|helpers|notebooks)/[\w./]+)`|python (tests/[\w./]+)", text)
    missing = [name for name in map("".join, named) if not (ROOT / name).exists() and "09_" not in name]
    assert named and missing == []
