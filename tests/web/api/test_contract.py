"""The API keeps its own description: schemathesis calls a real server with good and bad data."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import make_server

from tests.support import World
from tests.web.api.client import Office, office


@contextmanager
def served(place: Office) -> Iterator[str]:
    """The application on a real port."""
    place.pages.app.config["API_A_MINUTE"] = 1_000_000
    server = make_server("127.0.0.1", 0, place.pages.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_schemathesis_finds_nothing(world: World, tmp_path: Path) -> None:
    place = office(world)
    token = place.program(place.manager).token
    with served(place) as url:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json",
             "--url", url, "--header", f"Authorization: Bearer {token}", "--checks", "all",
             "--max-examples", "8", "--seed", "1", "--generation-database", "none", "--no-color",
             "--continue-on-failure", "--suppress-health-check", "all", "--no-shrink",
             "--max-time", "45"],
            cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
