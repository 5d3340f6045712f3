"""The labs of a notebook as one more test after its cells: nbval has run those, so nothing runs twice."""
import inspect
from collections import defaultdict

from nbformat.v4 import new_code_cell
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers.rules import parts


def check_labs(labs):
    """Call every lab as a function at its settings: it gives whole pictures, described, and not all alike.

    labs: {title: lab}. Runs in the notebook's kernel, so it imports what it needs. Raises AssertionError.
    """
    import io

    from PIL import Image

    assert labs, "the notebook has a part `Lab`, and made no lab"
    for title, lab in labs.items():
        settings = list(lab.settings())
        assert len(settings) >= 3, f"{title}: only {len(settings)} settings to test"
        pictures = [lab.picture(**setting) for setting in settings]
        for setting, picture in zip(settings, pictures):
            size = Image.open(io.BytesIO(picture.png)).convert("L").size
            assert min(size) > 1 and picture.width > 1, f"{title}: an empty picture at {setting}"
            assert picture.alt.strip(), f"{title}: no alternative text at {setting}"
        different = len({picture.png for picture in pictures})
        assert different >= 2, f"{title}: the same picture at all {len(settings)} settings"
        print(f"{title}: {len(settings)} settings, {different} different pictures")


class NotebookWithLabs(IPyNbFile):
    """nbval's notebook, and where it has a part `Lab` a last item, `labs`, in the same kernel."""

    def collect(self):
        cells = list(super().collect())
        yield from cells
        if "Lab" in parts(self.nb):
            source = inspect.getsource(check_labs) + "\nfrom helpers import labs\ncheck_labs(labs.LABS)"
            yield IPyNbCell.from_parent(self, name="labs", cell_num=len(cells), cell=new_code_cell(source),
                                        options=defaultdict(bool))
