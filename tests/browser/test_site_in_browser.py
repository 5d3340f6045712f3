"""The site in Chromium, offline, opened as files: every page, every link, every lab that lives."""

import base64
import gzip
import json
import os
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

from helpers.labs import states
from helpers.rules import NOTEBOOKS

pytest.importorskip("sphinx_book_theme", reason="the site's requirements are not installed")
expect = pytest.importorskip("playwright.sync_api", reason="no Playwright (pip install playwright)").expect

from helpers.site.build import SiteError, build, package  # noqa: E402
from helpers.site.pages import TEXTS  # noqa: E402

PAGES = [
    "index.html",
    *(f"notebooks/{path.stem}.html" for path in NOTEBOOKS),
    "arena.html",
    *(name.replace(".md", ".html") for name in TEXTS),
]
WITH_LABS = [path for path in NOTEBOOKS if any(states.folder_of(path).glob("*.json.gz"))]
TOLERANCE = 1e-5
DRAWN = "() => [...document.querySelectorAll('.math')].every(formula => formula.querySelector('mjx-container svg'))"
AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) =>
    `${id}: ${nodes.length} of ${nodes[0].html.slice(0, 200)} (${nodes[0].failureSummary.slice(0, 300)})`) }"""
# A notebook has thousands of coloured words of code, and axe would look at each: those of one kind look alike.
ONE_WORD_OF_A_KIND = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('pre span[class]:not(:has(*))')) {
    const kind = `${word.closest('[class*=cell_], pre').className} ${word.className}`;
    if (seen.has(kind)) word.replaceWith(word.textContent);
    seen.add(kind);
  }
  return seen.size }"""
# Pictures that stand on a ground of their own, which in the dark would be a pale slab.
GROUNDS = """() => [...document.querySelectorAll('.bd-content img')].map(picture => getComputedStyle(picture))
  .map(style => [style.backgroundColor, style.backgroundImage, style.filter].join(' '))
  .filter(ground => ground !== 'rgba(0, 0, 0, 0) none none')"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built anew, or the one that SITE names, so that many runs of tests can share one."""
    if given := os.environ.get("SITE"):
        return Path(given)
    try:
        return build(tmp_path_factory.mktemp("built") / "site").folder
    except SiteError as error:
        if "no npm" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture
def visit(site, page):
    """visit(name, width): opens a page of the site, offline; `page.errors` and `page.asked` collect what goes wrong."""
    page.asked, context = [], page.context

    def asked(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            page.asked.append(request.url)

    def said(message):
        if message.type == "error":
            page.errors.append(message.text)

    context.set_offline(True)
    page.on("request", asked)
    page.on("console", said)

    def opened(name, width=1280):
        page.errors.clear()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{site.as_uri()}/{name}")
        return page

    yield opened
    page.remove_listener("request", asked)
    page.remove_listener("console", said)
    page.goto("about:blank")
    context.set_offline(False)


def awake(page, place):
    """A lab's place, once the lab lives there."""
    place.scroll_into_view_if_needed()
    page.wait_for_function("place => place.model", arg=place.element_handle())
    return place


def lab(page, name):
    return awake(page, page.locator(f'[data-lab="{name}"]'))


@pytest.mark.parametrize("name", PAGES)
def test_a_page(visit, name):
    page = visit(name, width=400)
    page.wait_for_function(DRAWN)
    for place in page.locator("[data-lab]").all():
        awake(page, place)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400, f"{wide} pixels wide on a screen of 400"
    assert page.errors == [] and page.asked == []
    page.add_script_tag(path=package("axe-core") / "axe.min.js")
    page.evaluate(ONE_WORD_OF_A_KIND)
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert page.evaluate(AXE) == [], theme
        assert page.evaluate(GROUNDS) == [], theme


def test_the_menu_and_the_contents_open(visit):
    page = visit("notebooks/05_tied_weights.html", width=400)
    for name in ("primary", "secondary"):
        page.locator(f".{name}-toggle:visible").click()
        expect(page.locator(f"#pst-{name}-sidebar-modal")).to_be_visible()
        page.keyboard.press("Escape")
    page = visit("notebooks/05_tied_weights.html", width=1280)
    page.locator(".secondary-toggle:visible").click()
    contents = page.locator("#pst-secondary-sidebar-modal")
    contents.get_by_role("link", name="What holds").click()
    expect(contents).to_be_hidden()
    assert page.url.endswith("#what-holds")
    page.locator(".primary-toggle:visible").click()
    expect(page.locator("#pst-primary-sidebar")).to_be_hidden()
    assert page.errors == []


@pytest.mark.parametrize("width, beside", [(1280, False), (1600, True)])
def test_code_of_120_characters_fits_beside_the_menu(visit, width, beside):
    page = visit("notebooks/08_gan_difficulties.html", width=width)
    too_wide = "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).length"
    assert page.locator(".cell_input pre").evaluate_all(too_wide) == 0
    expect(page.locator("#pst-secondary-sidebar")).to_be_visible(visible=beside)


class Links(HTMLParser):
    """What a page links to and shows, and the places in it that can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.ids = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.targets |= {found[name] for name in ("href", "src", "data-file") if found.get(name)}
        self.ids |= {found["id"]} if "id" in found else set()


def test_every_internal_link_leads_somewhere(site):
    pages = {path: Links(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) == len(PAGES) + 1  # the search
    lost = []
    for path, page in pages.items():
        for target in page.targets:
            file, _, part = unquote(target).partition("#")
            file = file.partition("?")[0]
            there = (path.parent / file).resolve() if file else path
            if re.match(r"[a-z]+:", target):
                continue
            if not there.is_file() or (part and part not in pages[there].ids):
                lost.append(f"{path.relative_to(site)}: {target}")
    assert lost == []


def test_every_notebook_can_be_downloaded_as_it_is(site):
    for path in NOTEBOOKS:
        assert (site / "downloads" / path.name).read_bytes() == path.read_bytes()
        assert f"downloads/{path.name}" in (site / "notebooks" / f"{path.stem}.html").read_text("utf-8")


def test_the_zip_holds_the_site(site):
    with zipfile.ZipFile(site.with_suffix(".zip")) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
    assert held == {str(file.relative_to(site.parent)) for file in site.rglob("*") if file.is_file()}


def test_search(visit):
    page = visit("search.html?q=posterior+collapse")
    page.wait_for_selector("#search-results li")
    assert "Generative models" in page.locator("#search-results").inner_text()
    assert page.errors == [] and page.asked == []


def test_answers_are_open_on_paper(visit):
    page = visit("notebooks/06_vae.html")
    closed = "() => document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(closed)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert before > 10 and page.evaluate(closed) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(closed) == before
    answer = page.locator("details").last
    answer.locator("summary").press("Enter")
    assert answer.get_attribute("open") is not None


# Labs


@pytest.mark.parametrize("path", WITH_LABS, ids=lambda path: path.stem)
def test_its_labs_show_what_the_kernel_does(visit, path):
    page = visit(f"notebooks/{path.stem}.html")
    labs = dict(states.read(nbformat.read(path, 4), path))
    assert labs, "none of its stored labs is of this code"
    for name, kept in labs.items():
        place = lab(page, f"{path.stem}/{name}")
        if kept["kind"] == "plane":
            moved_on_a_plane(page, place, kept)
        elif kept["kind"] == "dirac":
            moved_in_the_game(place)
        else:
            moved_among_pictures(page, place, kept)
        assert page.errors == [] and page.asked == [], name


def moved_on_a_plane(page, place, kept):
    """Drag, and use arrow keys: at each place the image is the decoder's."""
    canvas, image = place.locator("canvas.map"), place.locator("canvas.decoded, figure canvas").last
    box = canvas.bounding_box()
    seen = []

    def compare():
        found = place.evaluate("place => place.model.get('values')")
        drawn = np.array(image.evaluate("canvas => Array.from(canvas.decoded)"))
        ours = states.run(kept["scene"]["layers"], [[found["z1"], found["z2"]]])[0]
        assert np.abs(drawn - ours).max() <= TOLERANCE
        seen.append(tuple(found.values()))

    compare()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    for share in (0.4, 0.6, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        compare()
    page.mouse.up()
    canvas.press("ArrowLeft")
    compare()
    assert len(set(seen)) == 5
    if kept["scene"]["encoder"]:
        pad = place.locator("canvas.pad")
        pad.press(" ")
        for key in ["ArrowDown"] * 8 + ["ArrowRight"] * 5:
            pad.press(key)
        drawn, code = place.locator(".seen canvas, canvas.seen").first.evaluate(
            "canvas => [Array.from(canvas.pixels), Array.from(canvas.code)]"
        )
        ours = states.run(kept["scene"]["encoder"], [drawn])[0]
        assert np.abs(np.array(code) - ours).max() <= TOLERANCE * max(1, np.abs(ours).max())


def moved_in_the_game(place):
    """Move its start by keys and give it R1: the path is that of the game, whose steps are linear."""
    canvas = place.locator("canvas")
    for key in ("Shift+ArrowLeft", "ArrowUp"):
        canvas.press(key)
    place.get_by_role("slider", name="R1: γ", exact=True).press("End")
    values = place.evaluate("place => place.model.get('values')")
    assert (values["theta"], values["psi"], values["gamma"]) == (0.5, 0.05, 2)
    step = np.array([[1, values["h"]], [-values["h"], 1 - values["h"] * values["gamma"]]])
    path = [(values["theta"], values["psi"])]
    for _ in range(values["steps"]):
        path.append(step @ path[-1])
    assert np.abs(np.array(canvas.evaluate("canvas => canvas.path")) - path).max() <= TOLERANCE


def moved_among_pictures(page, place, kept):
    """Move each control by keys and by the mouse: the picture is the one that was drawn for that setting."""
    img = place.locator(".picture img")
    lists = {row["name"]: row.get("options") or row["values"] for row in kept["rows"]}
    seen = set()

    def compare():
        values = place.evaluate("place => place.model.get('values')")
        place_ = 0
        for name, listed in lists.items():
            place_ = place_ * len(listed) + listed.index(values[name])
        wanted = kept["pictures"][place_]
        page.wait_for_function(
            "([img, src]) => img.src === src", arg=[img.element_handle(), f"data:image/webp;base64,{wanted['webp']}"]
        )
        assert img.get_attribute("alt") == wanted["alt"]
        seen.add(json.dumps(values))

    compare()
    for control in place.locator(".controls input[type=range], .controls select").all():
        for key in ("End", "Home"):
            control.press(key)
            compare()
        if control.evaluate("control => control.tagName") == "INPUT":
            box = control.bounding_box()
            page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
            compare()
    assert len(seen) > len(lists)


def test_predictions_stay_on_the_readers_machine(visit):
    page = visit("notebooks/06_vae.html")
    place = lab(page, "06_vae/predictions")
    chosen = place.get_by_role("button", name="6.2 fails")
    chosen.focus()
    page.keyboard.press("Enter")
    said = page.locator("td.said").nth(1)
    assert chosen.get_attribute("aria-pressed") == "true" and said.text_content() == "fails"
    page.reload()
    lab(page, "06_vae/predictions")
    assert chosen.get_attribute("aria-pressed") == "true" and said.text_content() == "fails"
    page = visit("notebooks/06b_bounds.html")
    lab(page, "06b_bounds/predictions")
    assert page.locator("[aria-pressed=true]").count() == 0
    assert page.asked == []


def test_a_lab_without_its_state_keeps_its_twin(visit, site):
    state = next((site / "labs").rglob("*.js"))
    aside, name = state.rename(state.with_suffix(".away")), f"{state.parent.name}/{state.stem}"
    try:
        page = visit(f"notebooks/{state.parent.name}.html")
        with page.expect_console_message(lambda message: "is not there" in message.text):
            page.locator(f'[data-lab="{name}"]').scroll_into_view_if_needed()
        assert page.locator(f'[data-lab="{name}"] .twin').count() == 1
    finally:
        aside.rename(state)


def test_the_arena_trains_in_the_page(visit):
    page = visit("arena.html")
    place = lab(page, "arena/arena")
    frame = "place => place.model.get('frame').sides?.map(({ step }) => step)"
    page.wait_for_function(f"place => ({frame})(place)?.length === 2", arg=place.element_handle())
    assert place.evaluate(frame) == [0, 0]
    start = place.get_by_role("button", name="Start", exact=True)
    start.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"place => ({frame})(place)[0] > 20", arg=place.element_handle())
    place.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_function("place => !place.model.get('running')", arg=place.element_handle())
    steps = place.evaluate(frame)
    assert steps[0] == steps[1]
    place.get_by_role("button", name="Step G", exact=True).click()
    page.wait_for_function(
        f"([place, step]) => ({frame})(place)[0] === step + 1", arg=[place.element_handle(), steps[0]]
    )
    place.get_by_label("show").select_option("A alone")
    page.wait_for_function(f"place => ({frame})(place).length === 1", arg=place.element_handle())
    assert page.errors == [] and page.asked == []


def test_every_state_is_small():
    for path in NOTEBOOKS:
        for file in states.folder_of(path).glob("*.json.gz"):
            kept = json.loads(gzip.decompress(file.read_bytes()))
            most = states.LARGEST_PLANE if kept["kind"] == "plane" else states.LARGEST_LAB
            assert file.stat().st_size <= most + 200, file
            assert all(base64.b64decode(shown["webp"])[:4] == b"RIFF" for shown in kept.get("pictures", ()))
