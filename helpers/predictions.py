"""Predict first: a reader chooses an answer for each claim before running on."""
import html

import ipywidgets as W


class Predictions(W.VBox):
    """A row for each claim: its sentence, and buttons to choose what to expect.

    sentences: {id: sentence}. Without a kernel a reader sees the claims as a table.
    """
    ANSWERS = ("holds", "depends", "fails")

    def __init__(self, sentences):
        self.sentences = dict(sentences)
        self.buttons = {number: W.ToggleButtons(options=self.ANSWERS, value=None, style={"button_width": "5.5em"},
                                                tooltips=[f"{number} {answer}" for answer in self.ANSWERS])
                        for number in self.sentences}
        rows = [W.HBox([self.buttons[number],
                        W.HTML(f"<b>{number}</b> {html.escape(sentence)}", layout=W.Layout(flex="1 1 auto"))],
                       layout=W.Layout(align_items="center"))
                for number, sentence in self.sentences.items()]
        super().__init__(rows)

    def chosen(self):
        """{id: answer} of the claims for which an answer was chosen."""
        return {number: b.value for number, b in self.buttons.items() if b.value is not None}

    def _repr_mimebundle_(self, **_):
        table = ["| | claim |", "|---|---|"] + [f"| {n} | {s} |" for n, s in self.sentences.items()]
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/markdown": "\n".join(table),
                "text/plain": "\n".join(f"{n} {s}" for n, s in self.sentences.items())}
