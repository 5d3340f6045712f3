"""nbgrader's configuration of this course: `nbgrader …` and the formgrader read it where they are started here."""

import os
from pathlib import Path

from helpers.grading.configuration import configure

# On a hub the exchange is a folder that all may write to: see README.md.
config = get_config()  # noqa: F821
configure(config, Path(__file__).resolve().parent, exchange=os.environ.get("NBGRADER_EXCHANGE"))
# Late work: percent of the marks for each day begun, after some minutes that do not count. 0: it is only shown.
config.PerDay.percent = 0
config.PerDay.grace = 10
