"""How a notebook becomes a page: links, pictures with their texts, the download, places where labs come to life."""

import base64
import gzip
import json
import re
import subprocess

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import plots
from helpers.labs import states
from helpers.rules import FOLDER
from helpers.site import arena, pages
from helpers.site.labs import BROWSER, Labs, modules

ROOT = FOLDER.parent
PICTURE = plots.picture(plots.images({"": np.eye(8)[None]}), alt='A "diagonal" of < 9 pixels.')
DATA, ABOUT = PICTURE._repr_mimebundle_()


@pytest.fixture
def place(tmp_path):
    (tmp_path / "helpers").mkdir()
    known = {"notebooks/01_a.ipynb", "notebooks/02_b.ipynb", "data/README.md"}
    return pages.Place(tmp_path, tmp_path / "source", tmp_path / "extra", "https://example.org/it", known)


def shown(data=DATA, metadata=ABOUT, source="plots.show(x)", **about):
    cell = new_code_cell(source, **about)
    cell.outputs = [new_output("display_data", data, metadata=metadata)]
    return cell


def page_of(place, *cells, lab=lambda *_: None):
    notebook = new_notebook(
        cells=[new_markdown_cell("# 1 · A title\n\n[![badge](images/colab.png)](https://x.org)"), *cells]
    )
    return pages.notebook_page(place, "notebooks/01_a.ipynb", notebook, lab)


@pytest.mark.parametrize(
    ("target", "page", "wanted"),
    [
        ("02_b.ipynb", "notebooks/01_a.ipynb", "02_b.ipynb"),
        ("notebooks/02_b.ipynb#part", "README.md", "notebooks/02_b.ipynb#part"),
        ("../README.md", "notebooks/01_a.ipynb", "../index.md"),
        ("../data/README.md", "notebooks/01_a.ipynb", "../data/README.md"),
        ("images/a.png", "notebooks/01_a.ipynb", "images/a.png"),
        ("../LICENSE", "notebooks/01_a.ipynb", "https://example.org/it/blob/main/LICENSE"),
        ("helpers", "README.md", "https://example.org/it/tree/main/helpers"),
        ("https://arxiv.org/abs/1", "README.md", "https://arxiv.org/abs/1"),
        ("#here", "README.md", "#here"),
    ],
)
def test_links(place, target, page, wanted):
    assert place.links(f"see [it]({target}), and", page) == f"see [it]({wanted}), and"


def test_a_page_links_its_notebook_and_leaves_out_what_colab_needs(place):
    page = page_of(
        place, new_code_cell("import os", metadata={"tags": ["colab", "hide-input"]}), new_code_cell("x = 1")
    )
    assert [cell.source for cell in page.cells[1:]] == ["x = 1"]
    assert page.cells[0].source.startswith('# 1 · A title\n\n<a href="../downloads/01_a.ipynb" download>')


def test_a_picture_has_a_file_its_text_and_its_size(place):
    (output,) = page_of(place, shown()).cells[1].outputs
    markup = output.data["text/html"]
    file = re.search(r'src="\.\./(pictures/01_a/\w+\.png)"', markup)[1]
    assert (place.extra / file).read_bytes() == PICTURE.png
    assert 'alt="A &quot;diagonal&quot; of &lt; 9 pixels."' in markup and f'width="{PICTURE.width}"' in markup


def test_what_is_no_picture_is_shown_in_one_form(place):
    (output,) = (
        page_of(place, shown({"text/plain": "x", "text/markdown": "**x**", "application/x+json": {}}, {}))
        .cells[1]
        .outputs
    )
    assert output.data == {"text/markdown": "**x**"}


def states_of(cells, tmp_path, *kept):
    """Labs of a notebook of these cells, of whose labs these states are stored."""
    path, notebook = tmp_path / "notebooks" / "01_a.ipynb", new_notebook(cells=list(cells))
    for number, (cell, state) in enumerate(kept):
        file = states.folder_of(path) / f"lab-{number}.json.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        state |= {"cell": cell.id, "code": states.code_of(notebook, cell)}
        file.write_bytes(states.compressed(state))
    return Labs(notebook, path, "notebooks/01_a.ipynb", tmp_path / "extra")


def opened(markup, folder):
    """The state that a place's script gives the page."""
    file = re.search(r'data-file="\.\./([^"]+)"', markup)[1]
    name, text = re.fullmatch(r'answers\.take\("([^"]+)", "([^"]+)"\);\n', (folder / file).read_text()).groups()
    assert f'data-lab="{name}"' in markup
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_a_lab_whose_state_is_stored_lives(tmp_path):
    cell = shown(source="labs.Lab(draw)")
    labs = states_of([cell], tmp_path, (cell, {"kind": "pictures", "pictures": [1, 2], "all": 2}))
    markup = labs(cell, cell.outputs[0], "<img>")
    assert opened(markup, labs.folder)["pictures"] == [1, 2] and '<div class="twin"><img></div>' in markup
    assert "lab-note" not in markup and (labs.live, labs.still) == (1, [])


def test_a_lab_with_fewer_settings_says_so(tmp_path):
    cell = shown(source="labs.Lab(draw)")
    labs = states_of([cell], tmp_path, (cell, {"kind": "pictures", "pictures": [1, 2], "all": 3}))
    assert "has 2 settings, drawn beforehand. For" in labs(cell, cell.outputs[0], "<img>")
    lacking = {"kind": "pictures", "pictures": [1, 2], "all": 9, "absent": ["axis", "noise"]}
    labs = states_of([cell], tmp_path, (cell, lacking))
    assert "beforehand, without “axis” and “noise”. For" in labs(cell, cell.outputs[0], "<img>")


def test_a_lab_without_a_state_stands_still_and_says_how_to_move_it(tmp_path):
    lab = 'labs.RetrainLab(train, lambda: draw("x"), "Build", question="Which " "is <best>?", n=labs.slider("n", 0, 9))'
    cell, other = shown(source=lab), shown()
    labs = states_of([cell, other], tmp_path)
    markup = labs(cell, cell.outputs[0], "<img>")
    assert "jupyter lab notebooks/01_a.ipynb" in markup and labs.live == 0
    assert '<h4>Build</h4><p class="question">Which is &lt;best&gt;?</p></div><img>' in markup
    assert labs.still == [f"01_a.ipynb, cell {cell.id}"]
    assert labs(other, other.outputs[0], "<img>") is None


def test_predictions_are_read_from_their_twin(tmp_path):
    table = "| | claim |\n|---|---|\n| 1.1 | An x < y. |\n| 1.2 | It fails. |"
    cell = shown({"text/markdown": table}, {}, "claims.predict()")
    labs = states_of([cell], tmp_path)
    markup = labs(cell, cell.outputs[0], "")
    assert opened(markup, labs.folder)["sentences"] == {"1.1": "An x < y.", "1.2": "It fails."}
    assert "<td>An x &lt; y.</td>" in markup


def test_the_arena_needs_no_stored_state(tmp_path):
    cell = shown(source='arena.Arena("The arena")')
    labs = states_of([cell], tmp_path)
    state = opened(labs(cell, cell.outputs[0], "<img>"), labs.folder)
    assert state["kind"] == "arena" and state["values"] == json.loads(json.dumps(arena.state()["values"]))
    ring = np.frombuffer(states.unpacked(state["trainer"]["worlds"]["ring"]["real"]), "f4").reshape(-1, 2)
    assert ring.shape == (4000, 2)


def test_the_script_has_every_module_that_one_of_them_imports():
    texts = json.loads(re.search(r"const texts = (\{.*\});\n", modules())[1])
    asked = {name for text in texts.values() for name in re.findall(r'from "\./(\w+\.js)"', text)}
    assert asked <= texts.keys() and {"start.js", "arena_worker.js", "plane.js"} <= texts.keys()


def test_a_workers_modules_call_nothing_by_the_same_name():
    texts = json.loads(re.search(r"const texts = (\{.*\});\n", modules())[1])
    met, names = set(), []

    def visit(name):
        if name not in met:
            met.add(name)
            for other in re.findall(r'^import .* from "\./(\w+\.js)";$', texts[name], re.MULTILINE):
                visit(other)
            named = r"^(?:export )?(?:const|let|class|function) (\w+)"
            names.extend(re.findall(named, texts[name], re.MULTILINE))

    visit("arena_worker.js")
    assert len(met) == 7 and sorted(names) == sorted(set(names))


def test_the_bytes_of_the_product_are_those_of_its_source(tmp_path):
    compiler = ROOT / "node_modules" / "wabt" / "bin" / "wat2wasm"
    if not compiler.exists():
        pytest.skip("no wabt (npm ci)")
    made = tmp_path / "product.wasm"
    subprocess.run(["node", compiler, BROWSER / "product.wat", "-o", made], check=True)
    text = "".join(re.findall(r'^ +"([\w+/=]+)"', (BROWSER / "product.js").read_text("utf-8"), re.MULTILINE))
    assert base64.b64decode(text) == made.read_bytes()
