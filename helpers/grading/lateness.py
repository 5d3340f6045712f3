"""Lateness: when a submission came, against when it was due, and what the course's rule takes off for it."""

import math
from datetime import UTC, datetime

from dateutil import parser
from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float


class PerDay(LateSubmissionPlugin):
    """Take off a share of the marks for each day begun. A course sets it in its nbgrader_config.py."""

    percent = Float(0, help="Percent of the marks, for each day begun").tag(config=True)
    grace = Float(10, help="Minutes that are not counted").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """What is taken off the score, or None."""
        days = math.ceil(max(0, total_seconds_late - 60 * self.grace) / 86_400)
        return score * min(1, days * self.percent / 100) or None


def utc(when: str | datetime) -> datetime:
    """A time as nbgrader keeps it: UTC, without saying so. One without a zone is this machine's.

    Raises ValueError for what is no time.
    """
    try:
        time = when if isinstance(when, datetime) else parser.parse(when)
        return time.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{when} is no time") from error


def words(seconds: float) -> str:
    """How late that is, in words; "" for not late."""
    minutes = math.ceil(seconds / 60)
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{left} min"] * bool(left and not days)
    return " ".join(parts)
