"""Drawings: on a transparent ground, with what they hold where it was put, and words for who cannot see them."""

import io

import numpy as np
import pytest
from PIL import Image

from helpers.diagrams import Drawing

ALT = "An hourglass of three layers."


def pixels(drawing):
    return np.asarray(Image.open(io.BytesIO(drawing.picture().png)).convert("RGBA"))


def ink(drawing, left, right):
    """The share of a vertical strip of the drawing, from 0 to 1, that is not transparent."""
    alpha = pixels(drawing)[..., 3]
    return (alpha[:, int(left * alpha.shape[1]) : int(right * alpha.shape[1])] > 0).mean()


def test_empty_sheet_is_transparent_and_twice_as_sharp_as_its_width():
    picture = Drawing(6, 2, ALT).picture()
    assert (picture.alt, picture.width) == (ALT, 576)
    assert pixels(Drawing(6, 2, ALT)).shape == (384, 1152, 4) and pixels(Drawing(6, 2, ALT))[..., 3].max() == 0


def test_things_stand_where_they_were_put():
    drawing = Drawing(6, 2, ALT).box((1, 1), "encoder")
    assert ink(drawing, 0.05, 0.3) > 0.1 and ink(drawing, 0.4, 1) == 0
    drawing.arrow((2, 1), (4, 1), "code", bend=0.2)
    assert ink(drawing, 0.4, 0.6) > 0 and ink(drawing, 0.75, 1) == 0
    drawing.text((5, 1), "$x$")
    assert ink(drawing, 0.75, 1) > 0


def test_layers_are_as_tall_as_their_numbers_are_many():
    drawing = Drawing(8, 3, ALT).network([(784, "x"), (2, "z"), (784, "x̂")], at=(1, 1.5), width=6)
    heights = [(pixels(drawing)[:, int(x / 8 * 1536)][:, 3] > 0).sum() for x in (1, 4, 7)]
    assert heights[0] > 2 * heights[1] and abs(int(heights[0]) - int(heights[2])) < 30
    assert [text.get_text() for text in drawing.axes.texts] == ["784", "x", "2", "z", "784", "x̂"]


def test_words_are_asked_for():
    with pytest.raises(ValueError, match="say in a sentence what the drawing shows"):
        Drawing(6, 2, "figure")
