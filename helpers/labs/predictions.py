"""Predict first: a reader chooses an answer for each claim before running on."""

from collections.abc import Mapping

import traitlets

from .panel import Widget, browser

TITLE = "What do you expect?"
ANSWERS = ["holds", "depends", "fails"]
TABLE = "| | claim |\n|---|---|\n"  # how the twin begins


class Predictions(Widget):
    """A row for each claim: buttons to choose what to expect, and its sentence.

    sentences: {id: sentence}. Without a kernel a reader sees the claims as a table.
    """

    module = traitlets.Unicode(browser("predictions.js")).tag(sync=True)
    title = traitlets.Unicode(TITLE).tag(sync=True)
    sentences = traitlets.Dict().tag(sync=True)
    answers = traitlets.List(ANSWERS).tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init__(self, sentences: Mapping[str, str]):
        super().__init__(sentences=dict(sentences))

    def chosen(self) -> dict[str, str]:
        """{id: answer} of the claims for which an answer was chosen."""
        return dict(self.values)

    def _repr_mimebundle_(self, **_):
        return self._live() | {
            "text/markdown": TABLE + "\n".join(f"| {n} | {s} |" for n, s in self.sentences.items()),
            "text/plain": "\n".join(f"{n} {s}" for n, s in self.sentences.items()),
        }
