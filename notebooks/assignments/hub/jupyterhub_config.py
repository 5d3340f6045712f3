"""A JupyterHub for a class on one Linux machine, with nbgrader's exchange between one teacher's course and students.

Environment: HUB_TEACHERS and HUB_STUDENTS, Unix users separated by commas (they must exist: `useradd -m ann`);
HUB_COURSE, the course's folder, a copy of notebooks/assignments (default /srv/course); HUB_EXCHANGE, the folder
through which notebooks pass (default /srv/exchange); HUB_PORT (default 8000). Start it as root. It listens on
127.0.0.1: put a web server with HTTPS before it. Users log in with their Unix passwords.
"""

import os
import pwd
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TEACHERS = list(filter(None, os.environ.get("HUB_TEACHERS", "").split(",")))
STUDENTS = list(filter(None, os.environ.get("HUB_STUDENTS", "").split(",")))
COURSE = Path(os.environ.get("HUB_COURSE", "/srv/course"))
EXCHANGE = Path(os.environ.get("HUB_EXCHANGE", "/srv/exchange"))

c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ.get('HUB_PORT', '8000')}"
c.JupyterHub.authenticator_class = os.environ.get("HUB_AUTHENTICATOR", "pam")
c.Authenticator.allowed_users = {*TEACHERS, *STUDENTS}  # since version 5 nobody may log in by default
c.Authenticator.admin_users = set()
c.Spawner.default_url = "/lab"
c.Spawner.cmd = [str(Path(sys.executable).parent / "jupyterhub-singleuser")]
c.Spawner.http_timeout = c.Spawner.start_timeout = 180


def prepare():
    """Close the course to all but the first teacher, and open the exchange to all, as nbgrader asks."""
    if TEACHERS:
        teacher = pwd.getpwnam(TEACHERS[0])
        for path in [COURSE, *COURSE.rglob("*")]:
            os.chown(path, teacher.pw_uid, teacher.pw_gid, follow_symlinks=False)
        COURSE.chmod(0o700)
    EXCHANGE.mkdir(parents=True, exist_ok=True)
    EXCHANGE.chmod(0o777)


def before_start(spawner):
    """A teacher's server has the course and the formgrader, a student's neither."""
    teacher = spawner.user.name in TEACHERS
    spawner.environment = {
        "NBGRADER_EXCHANGE": str(EXCHANGE),
        # Where nbgrader looks for its configuration; a student's must not lead into the course.
        "JUPYTER_CONFIG_PATH": str(COURSE if teacher else HERE / "shared"),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }
    if teacher:
        spawner.notebook_dir = str(COURSE)
    else:
        off = [f"nbgrader.server_extensions.{name}" for name in ("formgrader", "course_list")]
        spawner.args = [f"--ServerApp.jpserver_extensions={name}=False" for name in off]


c.Spawner.pre_spawn_hook = before_start
assert shutil.which("configurable-http-proxy"), "npm install -g configurable-http-proxy"
prepare()
