"""Grading: from a folder of submissions to marks, feedback and a report. The command is `python -m helpers.grading`."""
