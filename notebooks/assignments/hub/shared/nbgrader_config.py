"""nbgrader's configuration of a student's server: the course's name, and where notebooks are fetched and handed in."""

import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "answers"
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", "/srv/exchange")
