"""nbgrader's configuration of this course: `nbgrader …` and the formgrader read it where they are started here."""
import os
from pathlib import Path

from helpers.grading.configuration import configure

# On a hub the exchange is a folder that all may write to: see README.md.
configure(get_config(), Path(__file__).resolve().parent,  # noqa: F821
          exchange=os.environ.get("NBGRADER_EXCHANGE"))
