"""A stand-in for ClickHouse: as much of its HTTP interface as a page needs, with SQLite to run the page's own SQL."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class _Tables:
    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.create_function("intDiv", 2, lambda number, divisor: number // divisor)
        self._database.create_function("toUnixTimestamp", 1, _timestamp)
        self._lock = threading.Lock()

    def ask(self, query: str, values: dict[str, str], lines: str) -> str:
        with self._lock:
            if created := re.match(r"CREATE TABLE (\w+) \((.*)\) ENGINE = ", query, re.DOTALL):
                columns = re.findall(r"(?:^|,)\s*(\w+) (?=[A-Z])", created[2])
                self._database.execute(f"CREATE TABLE {created[1]} ({', '.join(columns)})")
                return ""
            if inserted := re.fullmatch(r"INSERT INTO (\w+) FORMAT JSONEachRow", query):
                for row in map(json.loads, lines.splitlines()):
                    texts = {
                        name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()
                    }
                    names = ", ".join(texts)
                    self._database.execute(
                        f"INSERT INTO {inserted[1]} ({names}) VALUES ({', '.join('?' * len(texts))})", [*texts.values()]
                    )
                return ""
            kinds = dict(re.findall(r"\{(\w+):(\w+)\}", query))
            sql = re.sub(r"\{(\w+):\w+\}", r":\1", query.replace("FORMAT JSONEachRow", ""))
            found = self._database.execute(sql, {name: _typed(values[name], kind) for name, kind in kinds.items()})
            return "".join(f"{json.dumps(dict(row))}\n" for row in found)


def _timestamp(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _typed(value: str, kind: str) -> Any:
    return {"UInt32": int, "Float64": float, "String": str}[kind](value)


@contextmanager
def clickhouse() -> Iterator[str]:
    """Serve one until the block ends, and give its address."""
    tables = _Tables()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            query = given.pop("query", body)
            values = {name.removeprefix("param_"): value for name, value in given.items()}
            answer = tables.ask(query.strip(), values, body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
