"""The Dirac GAN, a game of two numbers, which runs in the browser, under the pointer and without the kernel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets

from .. import plots
from .controls import Control, choice, slider
from .panel import Panel, browser

REACH = 2.0  # both axes go from −REACH to REACH, whatever the path does
AT_ONCE, IN_TURNS = "at once", "in turns"
INKS = ("hero", "this run", "faint", "ink")  # of the path, its start, the arrows, the cross and the axes


class DiracGAN(Panel):
    """The path of the Dirac GAN among arrows that both players' gradients make: drag its start, or play its steps.

        labs.DiracGAN(dirac, "The Dirac GAN", question="Which γ makes it settle?")

    dirac: the game, dirac(h, steps, gamma, in_turns, start) → (steps + 1, 2), the places (θ, ψ) of its path. The
    browser computes the same steps, and the kernel draws the twin by it. steps: how many the path has at most. The game
    and its name are those of Mescheder et al. (2018).
    """

    module = traitlets.Unicode(browser("dirac.js")).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)  # what never changes

    def __init__(self, dirac: Callable[..., np.ndarray], title: str, *, steps: int = 400, question: str = ""):
        self.dirac = dirac
        controls: dict[str, Control] = {
            "steps": slider("steps", 0, steps, steps, step=1),
            "h": slider("size of a step, h", 0.01, 0.5, 0.05, step=0.01),
            "gamma": slider("R1: γ", 0.0, 2.0, 0.0, step=0.05),
            "way": choice("both players move", [AT_ONCE, IN_TURNS]),
            "theta": slider("start at θ", -REACH, REACH, 1.0, step=0.05),
            "psi": slider("start at ψ", -REACH, REACH, 0.0, step=0.05),
        }
        inks = {role: plots.ROLES[role] for role in INKS}
        super().__init__(title, controls, question, scene={"reach": REACH, "inks": inks, "inTurns": IN_TURNS})

    def path(self, **parameters: Any) -> np.ndarray:
        """The path of these parameters, (steps + 1, 2): what the browser draws."""
        chosen = self.parameters(**parameters)
        start = (chosen["theta"], chosen["psi"])
        return self.dirac(chosen["h"], chosen["steps"], chosen["gamma"], chosen["way"] == IN_TURNS, start)

    def picture(self, **parameters: Any) -> plots.Picture:
        """The path and the arrows, as a `Picture` made by the kernel."""
        chosen, path = self.parameters(**parameters), self.path(**parameters)
        fig, ax = plots.figure(width=5, height=4.4)
        side = np.linspace(-0.9 * REACH, 0.9 * REACH, 11)
        theta, psi = np.meshgrid(side, side)
        towards = -theta - chosen["gamma"] * psi
        ax.quiver(theta, psi, psi, towards, color=plots.ROLES["faint"], alpha=0.7, width=0.005, scale=28)
        seen = path[: np.argmax(np.append(np.abs(path).max(axis=1) > REACH, True)) + 1]
        ax.plot(*seen.T, "-", marker="", color=plots.ROLES["hero"], linewidth=1.5)
        ax.plot(*path[0], "o", color=plots.ROLES["this run"], markersize=7)
        ax.plot(0, 0, "+", color=plots.ROLES["ink"], markersize=14, markeredgewidth=2)
        ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xlabel=r"$\theta$", ylabel=r"$\psi$")
        end = np.linalg.norm(path[-1])
        ax.set_title(said := f"after {chosen['steps']} steps: {end:.2f} from the cross", fontsize=11)
        alt = (
            f"The path of the Dirac GAN from θ = {chosen['theta']:g}, ψ = {chosen['psi']:g}, both players move "
            f"{chosen['way']}, h = {chosen['h']:g}, γ = {chosen['gamma']:g}, among arrows that turn round a cross: "
            f"{said}."
        )
        return plots.picture(fig, small=False, alt=alt)
