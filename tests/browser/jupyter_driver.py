"""Drive a real JupyterLab or Notebook 7 page in Chromium, on loopback.

with Server(folder, "lab") as server, chromium() as page:         # tests share the servers in SERVERS
    notebook = Notebook(page, server, "x.ipynb")
    notebook.run_all(timeout=120)
    slider = notebook.slider("Title of the lab", "label of the slider")
    before = notebook.png("Title of the lab")
    slider.drag(0.9)
    notebook.wait_changed("Title of the lab", before)
    page.screenshot(path="lab.png")
"""

import atexit
import base64
import contextlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
)
PROJECT = Path(__file__).resolve().parents[2]
HARMLESS = "reading 'schema'"  # Notebook 7 throws this on every page, with or without widgets
START, PATIENCE = 300, 60  # seconds for what starts, and for what a page does: no bounds on speed, against hanging


def missing():
    """What a browser test lacks on this machine, in words, or None."""
    if importlib.util.find_spec("playwright") is None:
        return "no Playwright (pip install playwright)"
    return None if CHROMIUM else "no Chromium (Debian: apt-get install chromium)"


class Server:
    """`jupyter lab` or `jupyter notebook` on a free port, with its own configuration, stopped by its process id."""

    def __init__(self, root, kind="lab", timeout=START):
        self.kind, self.root = kind, Path(root)
        self._home = tempfile.TemporaryDirectory()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self.token = f"http://127.0.0.1:{port}", secrets.token_hex(8)
        home, tools = Path(self._home.name), Path(sys.executable).parent
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment |= {
            name: str(home / name.lower())
            for name in (
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "IPYTHONDIR",
                "JUPYTERLAB_SETTINGS_DIR",
                "JUPYTERLAB_WORKSPACES_DIR",
            )
        }
        environment |= {
            "CUDA_VISIBLE_DEVICES": "-1",
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))),
        }
        no_news = home / "jupyterlab_settings_dir/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        no_news.parent.mkdir(parents=True)
        no_news.write_text('{"fetchNews": "false"}')  # else a toast covers a corner of the page
        self._data, self._kernels = home / "jupyter_data_dir", home / "jupyter_runtime_dir" / "external_kernels"
        self._kernels.mkdir(parents=True)
        self._log = home / "server.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jupyterlab" if kind == "lab" else "notebook",
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={port}",
                    "--ServerApp.port_retries=0",
                    f"--IdentityProvider.token={self.token}",
                    f"--ServerApp.root_dir={self.root}",
                    "--ServerApp.allow_external_kernels=True",
                    "--LabApp.expose_app_in_browser=True",
                    "--JupyterNotebookApp.expose_app_in_browser=True",
                    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            self._wait_until_up(timeout)
        except BaseException:
            self.stop()
            raise

    def _ask(self, where, /, timeout=30, **sent):
        """What the server's REST interface answers; with `sent`, to a POST of it."""
        request = urllib.request.Request(
            f"{self.address}/api/{where}",
            json.dumps(sent).encode() if sent else None,
            {"Authorization": f"token {self.token}"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout) as answer:
            return json.load(answer)

    def _wait_until_up(self, timeout):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._ask("status", timeout=2)
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = self._log.read_text()[-3000:]
                    raise RuntimeError(f"jupyter {self.kind} did not start:\n{log}") from error
                time.sleep(0.1)

    def url(self, notebook):
        path = f"lab/tree/{notebook}?reset&" if self.kind == "lab" else f"notebooks/{notebook}?"
        return f"{self.address}/{path}token={self.token}"

    @contextlib.contextmanager
    def joining(self, connection_file, notebook, name):
        """Store a notebook so that it opens, as `name`, on a kernel that runs already and was started elsewhere.

        A page then finds what a reader does who reloads it: the outputs as stored, and their widgets in the kernel. The
        kernel goes on when this ends. connection_file: the kernel's.
        """
        nbformat.write(notebook, self.root / name)
        NotebookNotary(data_dir=str(self._data)).sign(notebook)  # no page shows a widget that it does not trust
        given = Path(connection_file)
        known, listed = {kernel["id"] for kernel in self._ask("kernels")}, self._kernels / given.name
        # The kernel's name is that of whoever started it, and perhaps none that this server knows.
        listed.write_text(json.dumps(json.loads(given.read_text()) | {"kernel_name": "python3"}))
        try:
            (joined,) = {kernel["id"] for kernel in self._ask("kernels")} - known
            self._ask("sessions", path=name, name=name, type="notebook", kernel={"id": joined})
            yield
        finally:
            listed.unlink()
            self._ask("kernels")  # forgets the one that is no longer listed, and does not end it

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)  # the server ends its own kernels
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        with contextlib.suppress(OSError):
            self._home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Servers(dict):
    """{kind: server}: one of each kind for all tests of a process, each started when it is first asked for."""

    def __missing__(self, kind):
        self[kind] = Server(tempfile.mkdtemp(), kind)
        return self[kind]

    def stop(self):
        for server in self.values():
            server.stop()
            shutil.rmtree(server.root, ignore_errors=True)
        self.clear()


SERVERS = Servers()


class Browser:
    """One headless Chromium for all pages of a process, started when the first is asked for."""

    def __init__(self):
        self._playwright = self._chromium = None

    def page(self, width=1280, height=1000):
        """A new page, with cookies and storage of its own; `page.errors` collects its uncaught errors."""
        if self._chromium and not self._chromium.is_connected():  # it has crashed
            self.stop()
        if not self._chromium:
            self._start()
        page = self._chromium.new_context(viewport={"width": width, "height": height}).new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.errors = []
        page.on("pageerror", lambda error: HARMLESS in str(error) or page.errors.append(str(error)))
        return page

    def _start(self):
        from playwright.sync_api import expect, sync_playwright

        expect.set_options(timeout=1000 * PATIENCE)
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        atexit.register(self.stop)

    def stop(self):
        if self._chromium:
            atexit.unregister(self.stop)
            self._chromium.close()
            self._playwright.stop()
            self._playwright = self._chromium = None


BROWSER = Browser()


@contextlib.contextmanager
def chromium(width=1280, height=1000):
    """A new page of BROWSER, closed at the end."""
    page = BROWSER.page(width, height)
    try:
        yield page
    finally:
        page.context.close()


def write_notebook(path, *cells):
    """Save a notebook of these code cells."""
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        ),
        path,
    )


READY = """() => { const w = window.jupyterapp?.shell?.currentWidget;
  return w?.context?.isReady && w.context.sessionContext.session?.kernel?.status === 'idle' }"""
CLOSE = "() => { for (const shown of [...jupyterapp.shell.widgets('main')]) shown.dispose() }"
# Open another notebook in the JupyterLab that the page shows; false where a dialogue is in the way.
OPEN = f"""async path => {{
  ({CLOSE})();
  if (document.querySelector('.jp-Dialog')) return false;
  await jupyterapp.commands.execute('docmanager:open', {{path}});
  return true }}"""
COMMAND = """async ([command, ms]) => {
  const late = new Promise(resolve => setTimeout(() => resolve(false), ms));
  return Promise.race([jupyterapp.commands.execute(command).then(() => true), late]) }"""
OUTPUTS = """() => [...jupyterapp.shell.currentWidget.content.model.cells].map(
  cell => cell.type === 'code' ? cell.outputs.toJSON() : [])"""
START_CELL = """index => { jupyterapp.shell.currentWidget.content.activeCellIndex = index; window.cellRuns = true;
  jupyterapp.commands.execute('notebook:run-cell').finally(() => { window.cellRuns = false }) }"""
EXECUTE = """async ([code, ms]) => {
  const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  let text = '', error = null;
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === 'stream' && content.name === 'stdout') text += content.text;
    if (header.msg_type === 'error') error = content.traceback.join('\\n') };
  const late = new Promise(resolve => setTimeout(() => resolve('late'), ms));
  if (await Promise.race([future.done, late]) === 'late') error = 'the kernel did not answer in time';
  return {text, error} }"""


class Notebook:
    """A notebook opened in the page, its kernel idle.

    anew: whether the page is loaded anew, as it is for a reader who comes back. JupyterLab can also open the notebook
    in place of another one, which takes a second instead of four.
    """

    def __init__(self, page, server, path, timeout=START, anew=True):
        self.page, self.server = page, server
        lab_is_there = page.url.startswith(f"{server.address}/lab")
        if anew or not lab_is_there or not page.evaluate(OPEN, path):
            page.goto(server.url(path), timeout=timeout * 1000)
        page.wait_for_function(READY, timeout=timeout * 1000)

    def run_all(self, timeout=START):
        """Run every cell; an error in one is an AssertionError here. Returns the outputs of each cell."""
        self.command("notebook:run-all-cells", timeout)
        outputs = self.outputs()
        no_errors(*outputs)
        return outputs

    def run_cell(self, index, timeout=START):
        """Run a cell to its end; an error in it is an AssertionError here."""
        self.start_cell(index)
        wait_for(lambda: not self.cell_runs(), f"cell {index} does not end", timeout)
        no_errors(self.outputs()[index])

    def shut_down(self):
        """End the kernel: TensorFlow's takes a gigabyte."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")

    def close(self):
        """Take it off the page without a word, and leave its kernel alone."""
        self.page.evaluate(CLOSE)

    def command(self, name, timeout=PATIENCE):
        """Execute a command of the application, to its end."""
        assert self.page.evaluate(COMMAND, [name, timeout * 1000]), f"{name} did not end in {timeout} s"

    def start_cell(self, index):
        """Start a cell without waiting for its end."""
        self.page.evaluate(START_CELL, index)

    def cell_runs(self):
        """Whether the cell of start_cell still runs; the kernel's status tells of its second thread, too."""
        return self.page.evaluate("() => window.cellRuns")

    def outputs(self):
        """The outputs of every cell, in nbformat's form."""
        return self.page.evaluate(OUTPUTS)

    def execute(self, code, timeout=PATIENCE):
        """Run code in the kernel beside the notebook's cells; returns what it prints."""
        ran = self.page.evaluate(EXECUTE, [code, timeout * 1000])
        assert ran["error"] is None, ran["error"]
        return ran["text"]

    def cells(self):
        """The source of every cell, as the page has it now."""
        return self.page.evaluate(
            "() => [...jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.getSource())"
        )

    def theme(self, name):
        """Switch to "JupyterLab Dark" or "JupyterLab Light"."""
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = str(name.endswith("Light")).lower()
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    # Labs

    def labs(self):
        """{title: {kind, labels of the sliders}} of the labs in the kernel."""
        return json.loads(
            self.execute(
                "import json\nfrom helpers import labs as _labs\nprint(json.dumps({title: {'kind': type(lab).__name__, "
                "'sliders': [c.label for c in lab.controls.values() if isinstance(c, _labs.Slider)]} "
                "for title, lab in _labs.LABS.items()}))"
            )
        )

    def lab(self, title):
        panel = self.page.locator(f".lab[aria-label={quoted(title)}]").first
        panel.wait_for(state="attached")
        panel.scroll_into_view_if_needed()
        return panel

    def slider(self, title, label):
        return Slider(self, self.row(title, label))

    def row(self, title, label):
        """The controls of this label: a slider and its number entry, or a menu."""
        named = self.page.locator(f"span:text-is({quoted(label)})")
        return self.lab(title).locator(".row").filter(has=named)

    def button(self, title, name):
        return self.lab(title).get_by_role("button", name=name, exact=True)

    def message(self, title):
        return self.lab(title).get_by_role("status").inner_text().strip()

    def png(self, title):
        """The bytes of the picture that the lab shows, a LatentPlane's decoded image included."""
        return base64.b64decode(
            self
            .lab(title)
            .locator("img, canvas")
            .last.evaluate("picture => (picture.src ?? picture.toDataURL('image/png')).split(',')[1]")
        )

    def decoded(self, title):
        """The pixels that a LatentPlane's decoder gave in the browser, as a list of floats."""
        return self.lab(title).locator("canvas").last.evaluate("c => Array.from(c.decoded)")

    def path(self, title):
        """The places of the path that a DiracGAN computed in the browser, as a list of [θ, ψ]."""
        return self.lab(title).locator("canvas").last.evaluate("c => c.path")

    def expected_path(self, title):
        """The path that a DiracGAN's own function gives for the controls, once the kernel has them as the page has."""
        wait_for(lambda: self.arrived(title), f"{title!r}: the kernel does not hear of the move")
        return json.loads(
            self.execute(
                "from helpers import labs as _labs\n"
                f"_lab = _labs.LABS[{title!r}]\nprint(_lab.path(**_lab.values).tolist())"
            )
        )

    def expected(self, title):
        """The bytes of the picture that the lab's pure function gives for the controls as the kernel has them now."""
        return base64.b64decode(
            self.execute(
                "import base64\nfrom helpers import labs as _labs\n"
                f"_lab = _labs.LABS[{title!r}]\nprint(base64.b64encode(_lab.picture(**_lab.values).png).decode())"
            )
        )

    def arrived(self, title):
        """Whether the kernel has the values that the controls on the page have."""
        here = (
            self
            .lab(title)
            .locator(".row")
            .evaluate_all("rows => rows.map(row => row.querySelector('input[type=number], select').value)")
        )
        there = json.loads(
            self.execute(
                "import json\nfrom helpers import labs as _labs\n"
                f"print(json.dumps(list(_labs.LABS[{title!r}].values.values())))"
            )
        )
        return all(
            value == shown if isinstance(value, str) else value == float(shown) for value, shown in zip(there, here)
        )

    def wait_changed(self, title, before, timeout=PATIENCE):
        """Wait until the lab shows another picture than `before`; returns it."""

        def changed():
            shown = self.png(title)
            return shown != before and shown

        return wait_for(changed, f"{title!r} shows the same picture", timeout)

    def wait_right(self, title, timeout=PATIENCE):
        """Wait until the lab shows what its pure function gives for its controls; returns that picture."""

        def right():
            shown = self.png(title)
            return self.arrived(title) and shown == self.expected(title) and shown

        return wait_for(right, f"{title!r} does not show the picture of its controls", timeout)

    def cross(self, title):
        """Where the cross of a LatentPlane is in the browser: [z1, z2]."""
        label = self.lab(title).locator("canvas").last.get_attribute("aria-label")
        return [float(number) for number in re.findall(r"= (-?[\d.]+)", label)]

    def drag_plane(self, title, to=(0.8, 0.3), steps=30):
        """Drag the cross of a LatentPlane from the middle to a place given as fractions from the top left."""
        plane = self.lab(title).locator("canvas").first
        plane.hover()
        box = plane.bounding_box()
        ends = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in ((0.5, 0.5), to)]
        drag(self.page, *ends, steps)


def no_errors(*cells):
    """An AssertionError if the outputs of one of these cells tell of an error."""
    errors = [f"{o['ename']}: {o['evalue']}" for outputs in cells for o in outputs if o["output_type"] == "error"]
    assert not errors, errors


def quoted(text):
    """A string for a selector, where JSON's escapes of letters such as β mean nothing."""
    return json.dumps(text, ensure_ascii=False)


class Slider:
    """A slider of a lab and the number entry beside it."""

    THUMB = 16  # CSS pixels; the middle of Chromium's thumb stays half of that away from the ends of the track

    def __init__(self, notebook, row):
        self.page, self.handle = notebook.page, row.locator("input[type=range]")
        self.number = row.locator("input[type=number]")

    def value(self):
        return float(self.handle.input_value())

    def fraction(self):
        """Where the slider stands, from 0 to 1."""
        return self.handle.evaluate("e => (e.value - e.min) / (e.max - e.min)")

    def press(self, key, times=1):
        self.handle.focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def place(self, fraction=None):
        """Where on the page a fraction of the slider's range is; without one, where the thumb is now."""
        self.handle.hover()  # scrolls to it and waits until the layout stands still
        fraction = self.fraction() if fraction is None else fraction
        box = self.handle.bounding_box()
        return box["x"] + self.THUMB / 2 + (box["width"] - self.THUMB) * fraction, box["y"] + box["height"] / 2

    def drag(self, to=0.9, steps=30, release=True):
        """Drag the thumb to a fraction of the range in so many moves of the mouse, 16 ms apart."""
        drag(self.page, self.place(), self.place(to), steps, release)


def drag(page, start, end, steps, release=True):
    page.mouse.move(*start)
    page.mouse.down()
    for k in range(1, steps + 1):
        page.mouse.move(*(a + (b - a) * k / steps for a, b in zip(start, end)))
        time.sleep(0.016)
    if release:
        page.mouse.up()


def wait_for(condition, otherwise, timeout=PATIENCE):
    """The first true value of condition(), or an AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
    return value
