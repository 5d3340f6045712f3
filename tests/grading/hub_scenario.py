"""A term on the hub, on one machine: run by test_hub.py as root of a throw-away system, with users of its own.

release → fetch → submit → collect → grade → feedback, by the requests that the pages in a browser send. Prints a JSON
line of what was found, for the test to judge.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PROJECT, COURSE, NAME, PORT = Path(sys.argv[1]), Path("/srv/course"), "01_tasks", 8765
HUB = f"http://127.0.0.1:{PORT}"
TOKEN = "a-token-of-the-test"
EXTRA = f"""
c.JupyterHub.services = [{{"name": "test", "api_token": "{TOKEN}"}}]
c.JupyterHub.load_roles = [{{"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers",
    "access:servers", "tokens"]}}]
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.db_url = "sqlite:////srv/hub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/cookie"
c.ConfigurableHTTPProxy.pid_file = "/srv/proxy.pid"
"""


def call(method, path, data=None, form=False):
    """A request with the test's token; returns (status, what came back)."""
    body = None if data is None else "&".join(f"{k}={v}" for k, v in data.items()) if form else json.dumps(data)
    request = urllib.request.Request(
        HUB + path, body and body.encode(), method=method, headers={"Authorization": f"token {TOKEN}"}
    )
    if not form:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=200) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text[:300]


def until(what, seconds=200):
    """Wait until what() is true."""
    for _ in range(seconds * 4):
        try:
            if what():
                return
        except OSError:
            pass
        time.sleep(0.25)
    raise SystemExit(f"waited {seconds} s in vain")


def as_user(user, command):
    """The exit status and output of a shell command, run as a user."""
    run = subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--reset-env", "sh", "-c", command],
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout + run.stderr


def main():
    found = {}
    for user in ("kim", "ann", "bob"):
        subprocess.run(["useradd", "-m", user], check=True)
    subprocess.run(["cp", "-r", str(PROJECT / "notebooks" / "assignments"), str(COURSE)], check=True)
    config = Path("/srv/jupyterhub_config.py")
    subprocess.run(["cp", "-r", str(COURSE / "hub"), "/srv/hub"], check=True)  # the course itself will be closed
    config.write_text(f"load_subconfig('/srv/hub/jupyterhub_config.py')\n{EXTRA}")
    environment = {**os.environ, "HUB_TEACHERS": "kim", "HUB_STUDENTS": "ann,bob", "HUB_PORT": str(PORT)}
    with open("/srv/hub.log", "w") as log:
        hub = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)], env=environment, cwd="/srv", stdout=log, stderr=log
        )
    try:
        until(lambda: call("GET", "/hub/api/")[0] == 200)
        for user in ("kim", "ann", "bob"):
            call("POST", f"/hub/api/users/{user}")
            call("POST", f"/hub/api/users/{user}/server")
        for user in ("kim", "ann", "bob"):
            until(lambda user=user: call("GET", f"/user/{user}/api/status")[0] == 200)
        grader = f"/user/kim/formgrader/api/assignment/{NAME}"
        found["assign"] = call("POST", f"{grader}/assign")
        found["release"] = call("POST", f"{grader}/release")
        which = {"course_id": "answers", "assignment_id": NAME}
        for user, line in (("ann", "return noisy, x"), ("bob", "return noisy, noisy")):
            found[f"fetch {user}"] = call("POST", f"/user/{user}/assignments/fetch", which, form=True)
            place = Path("/home", user, NAME, f"{NAME}.ipynb")
            notebook = json.loads(place.read_text())
            for cell in notebook["cells"]:
                if "def pairs" in "".join(cell["source"]):
                    cell["source"] = f"def pairs(x, noisy):\n    {line}"
            place.write_text(json.dumps(notebook))
            found[f"submit {user}"] = call("POST", f"/user/{user}/assignments/submit", which, form=True)
        found["collect"] = call("POST", f"{grader}/collect")
        code, said = as_user(
            "kim",
            f"cd /srv && PYTHONPATH={PROJECT} {sys.executable} -m helpers.grading {NAME} "
            f"--submissions {COURSE}/submitted --course {COURSE} --jobs 2",
        )
        found["grade"] = [code, said[-1500:]]
        found["csv"] = (COURSE / "grades" / f"{NAME}.csv").read_text("utf-8-sig") if code in (0, 1) else ""
        found["seen by the formgrader"] = call("GET", f"/user/kim/formgrader/api/submissions/{NAME}")
        found["release_feedback"] = call("POST", f"{grader}/release_feedback")
        found["fetch_feedback"] = call("POST", "/user/ann/assignments/fetch_feedback", which, form=True)
        found["page"] = [str(p) for p in Path("/home/ann", NAME).rglob("*.html")]
        found["a student's formgrader"] = call("GET", "/user/ann/formgrader/api/assignments")[0]
        found["closed"] = {
            str(path): as_user("ann", f"ls {path}")[0]
            for path in (COURSE, f"{COURSE}/source", f"{COURSE}/gradebook.db", "/srv/exchange/answers/inbound")
        }
        found["open"] = as_user("ann", "ls /srv/exchange/answers/outbound")
    finally:
        hub.terminate()
        try:
            hub.wait(30)
        except subprocess.TimeoutExpired:
            hub.kill()
        said = Path("/srv/hub.log").read_text()
        found["log"] = [line for line in said.splitlines() if "[E " in line or "Error" in line]
        if "page" not in found:
            found["log"] = said[-6000:]
        print(json.dumps(found))


if __name__ == "__main__":
    main()
