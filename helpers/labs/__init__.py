"""Labs: a pure function from parameters to a picture, under a thin layer of controls.

`Lab` draws while a slider moves, `RetrainLab` trains when it is let go, `LatentPlane` decodes, and encodes a reader's
drawing, in the browser, where `DiracGAN` plays its game, too, and `helpers.labs.arena` trains GANs live; the folder
`browser` has what each of them draws there. While a cell runs, Jupyter handles a lab's events in a second thread, so a
drawing function uses no pyplot and changes nothing outside itself, matplotlib's rcParams included.
"""

from .controls import Choice, Several, Slider, choice, slider
from .dirac import DiracGAN
from .lab import Lab, RetrainLab
from .panel import LABS, Panel, protect_figures
from .plane import LatentPlane

__all__ = [
    "LABS",
    "Choice",
    "DiracGAN",
    "Lab",
    "LatentPlane",
    "Panel",
    "RetrainLab",
    "Several",
    "Slider",
    "choice",
    "protect_figures",
    "slider",
]
