"""wrk: one kind of request, as often as eight connections can send it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile

from .processes import Server, seconds_of_children

__all__ = ["NO_WRK", "has_wrk", "load"]

NO_WRK = "wrk is missing: apt-get install wrk"
CONNECTIONS = 8
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def has_wrk() -> bool:
    """Say whether there is a wrk."""
    return shutil.which("wrk") is not None


def load(server: Server, seconds: int) -> dict[str, float]:
    """Send the server's request for so long, each time with the same body.

    ``cpu_us`` is what its workers spend on a request; ``refused`` are the answers that were not 2xx or 3xx, and those that
    did not come.
    """
    cpu = seconds_of_children(server.pid)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        for name, value in server.headers.items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        if server.sent.bodies is not None:
            script.write(f"wrk.method, wrk.body = 'POST', {json.dumps(server.sent.bodies().decode())}\n")
        script.flush()
        said = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script.name, server.url],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        ).stdout
    requests = int(_find(r"(\d+) requests in", said)[0])
    p99, unit = _find(r"99%\s+([\d.]+)(us|ms|s)", said)
    return {
        "requests": requests,
        "req_s": float(_find(r"Requests/sec:\s+([\d.]+)", said)[0]),
        "p99_ms": float(p99) * _UNITS[unit],
        "cpu_us": (seconds_of_children(server.pid) - cpu) / max(requests, 1) * 1e6,
        "refused": sum(map(int, re.findall(r"(?:3xx responses:|connect|read|write|timeout) (\d+)", said))),
    }


def _find(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found, text
    return found.groups()
