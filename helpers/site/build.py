"""Build the site: sources for Sphinx in a folder that is thrown away, the pages, what they load, a zip of it all."""

import contextlib
import io
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook
from sphinx.cmd.build import build_main

from ..colab import repository
from ..rules import NOTEBOOKS
from . import arena
from .labs import ARENA, BROWSER, Labs, modules, styles
from .pages import TEXTS, Place, notebook_page, text_page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MARK = ".answers-site"  # a file by which a folder is known to be a site, which may be replaced
HIDDEN = '<summary aria-label="Toggle hidden content">'
ARENA_PAGE = """---
html_theme.sidebar_secondary.remove: true
---

# The arena

Two GANs train side by side, from the same seed, on points in the plane. Choose a recipe, guess how many modes each side
will hold, and press *Start*. Turn knobs while they run, and paint data of your own. [Notebook 8](notebooks/{notebook})
says what goes wrong there, and which cures were measured.

{place}
"""
CONTENTS = """

```{{toctree}}
:hidden:
:caption: The questions

{notebooks}
```

```{{toctree}}
:hidden:
:caption: More

{texts}
```
"""


class SiteError(Exception):
    """The site cannot be built; the message says why, and what to do."""


@dataclass(frozen=True)
class Built:
    """What a build made. still: names of the labs that show their twins alone. seconds: how long it took. size, packed:
    bytes of the folder, and of its zip.
    """

    folder: Path
    archive: Path
    pages: int
    live: int
    still: list[str]
    seconds: float
    size: int
    packed: int


def build(folder: Path) -> Built:
    """Build the site of this collection in `folder`, in the place of an earlier one. Raises SiteError."""
    began = time.perf_counter()
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise SiteError(f"{folder} exists, and is no site: give another folder, or empty this one")
    mathjax = package("mathjax") / "es5" / "tex-svg.js"
    with tempfile.TemporaryDirectory() as scratch:
        source, extra, made = (Path(scratch) / name for name in ("source", "extra", "made"))
        live, still = _write_sources(Place(ROOT, source, extra, repository(NOTEBOOKS[0]) or "", _names()))
        static = source / "_static"
        static.mkdir()
        shutil.copy(mathjax, static)
        for name in ("site.css", "print.js", "navigation.js"):
            shutil.copy(BROWSER / name, static)
        (static / "labs.js").write_text(modules(), "utf-8")
        (static / "labs.css").write_text(styles(), "utf-8")
        (extra / MARK).touch()
        _sphinx(source, extra, made)
        _leave_out(made)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)  # with the folders above it
    archive = Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))
    files = [file for file in folder.rglob("*") if file.is_file()]
    pages = len(list(folder.rglob("*.html"))) - 1  # the page of the search holds nothing of its own
    return Built(
        folder,
        archive,
        pages,
        live,
        still,
        time.perf_counter() - began,
        sum(file.stat().st_size for file in files),
        archive.stat().st_size,
    )


def package(name: str) -> Path:
    """The folder of a package for the browser, installed by npm where it is not there yet. Raises SiteError."""
    folder = ROOT / "node_modules" / name
    if not folder.exists():
        if not (npm := shutil.which("npm")):
            raise SiteError(f"{name} is not there, and no npm to install it: install Node, https://nodejs.org")
        ran = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if ran.returncode:
            raise SiteError(f"npm cannot install {name}: {ran.stderr[-500:]}")
    return folder


def _names():
    return {str(path.relative_to(ROOT).as_posix()) for path in NOTEBOOKS} | set(TEXTS)


def _write_sources(place):
    """Everything that Sphinx reads; returns the number of live labs, and the names of those that stand still."""
    live, still = 0, []
    downloads = place.extra / "downloads"
    downloads.mkdir(parents=True)
    for path in NOTEBOOKS:
        name = path.relative_to(ROOT).as_posix()
        target = place.source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        notebook = nbformat.read(path, as_version=4)
        labs = Labs(notebook, path, name, place.extra)
        nbformat.write(notebook_page(place, name, notebook, labs), target)
        live, still = live + labs.live, still + labs.still
        shutil.copy(path, downloads)
    shutil.copytree(NOTEBOOKS[0].parent / "images", place.source / "notebooks" / "images")
    for name in TEXTS:
        target = place.source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text_page(place, name), "utf-8")
    alone = Labs(new_notebook(), ROOT / "arena.ipynb", "arena.md", place.extra)
    markup = alone.place("arena", arena.state(), "<p>It needs JavaScript.</p>", ARENA)
    page = ARENA_PAGE.format(notebook=next(path.name for path in NOTEBOOKS if path.name.startswith("08")), place=markup)
    (place.source / "arena.md").write_text(page, "utf-8")
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in NOTEBOOKS]
    contents = CONTENTS.format(
        notebooks="\n".join([*names, "arena"]), texts="\n".join(name.removesuffix(".md") for name in TEXTS)
    )
    (place.source / "index.md").write_text(text_page(place, "README.md") + contents, "utf-8")
    return live + alone.live, still


def _sphinx(source, extra, made):
    """Run Sphinx, for which each warning is an error. Raises SiteError with what it says."""
    settings = {
        "html_extra_path": str(extra),
        "html_static_path": str(source / "_static"),
        "html_theme_options.repository_url": repository(NOTEBOOKS[0]) or "",
    }
    options = [f"-D{name}={value}" for name, value in settings.items()]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        failed = build_main([
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            "-c",
            str(HERE),
            *options,
            str(source),
            str(made),
        ])
    if failed:
        raise SiteError(f"Sphinx says:\n{said.getvalue()[-4000:]}")


def _leave_out(made):
    """Take out what no page asks for: what developers of the theme debug it with, its other languages; and names that
    keep those who hear a page from what stands written there.
    """
    unasked = "_static/**/*.map", "_static/**/*.html", "_static/locales", "_sources", ".buildinfo", "objects.inv"
    for pattern in unasked:
        for path in made.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for page in made.rglob("*.html"):
        page.write_text(page.read_text("utf-8").replace(HIDDEN, "<summary>"), "utf-8")
