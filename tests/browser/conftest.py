"""Servers and pages for the browser tests, which are skipped where there is no Playwright or no Chromium."""
import pytest
from jupyter_driver import CHROMIUM, Server, chromium


def pytest_collection_modifyitems(items):
    try:
        import playwright  # noqa: F401
        missing = None if CHROMIUM else "no Chromium (Debian: apt-get install chromium)"
    except ImportError:
        missing = "no Playwright (pip install playwright)"
    if missing:
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def start_server():
    """start_server(folder, kind): a server for the whole session, the same one for the same arguments."""
    servers = {}

    def start(folder, kind):
        if (folder, kind) not in servers:
            servers[folder, kind] = Server(folder, kind)
        return servers[folder, kind]

    yield start
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="module")
def page():
    with chromium() as page:
        yield page
