"""Predict first: a reader chooses an answer for each claim before running on."""
import anywidget
import traitlets

from . import labs


class Predictions(anywidget.AnyWidget):
    """A row for each claim: buttons to choose what to expect, and its sentence.

    sentences: {id: sentence}. Without a kernel a reader sees the claims as a table.
    """
    _esm, _css = labs.Lab._esm, labs.Lab._css        # the labs' own: the same look, the same care for the keyboard
    kind = traitlets.Unicode("predictions").tag(sync=True)
    title = traitlets.Unicode("What do you expect?").tag(sync=True)
    sentences = traitlets.Dict().tag(sync=True)
    answers = traitlets.List(["holds", "depends", "fails"]).tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init__(self, sentences):
        super().__init__(sentences=dict(sentences))

    def chosen(self):
        """{id: answer} of the claims for which an answer was chosen."""
        return dict(self.values)

    def _repr_mimebundle_(self, **_):
        table = ["| | claim |", "|---|---|"] + [f"| {n} | {s} |" for n, s in self.sentences.items()]
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/markdown": "\n".join(table),
                "text/plain": "\n".join(f"{n} {s}" for n, s in self.sentences.items())}
