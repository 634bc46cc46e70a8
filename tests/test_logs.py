"""What the two logging filters do to lines that real loggers write, and where request ids come from."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path

from portal import request_id, tokens
from portal.logs import RedactFilter
from portal.request_id import RequestIdFilter

REQUEST_ID = re.compile(r"req_[0-9A-Za-z]{16}")
CODE, TOKEN, KEY = (tokens.mint(prefix) for prefix in (tokens.EXCHANGE_CODE, tokens.ACCESS_TOKEN, tokens.ROOT_KEY))

host_logger = logging.getLogger("tests.host")


def own_page(request: Any) -> HttpResponse:
    """Stand for a view of the host that has nothing to do with the portal, and logs."""
    host_logger.warning("own page")
    return HttpResponse("own")


urlpatterns = [path("own/", own_page), path("", include("portal.urls"))]


@pytest.fixture
def written() -> Iterator[Callable[[], list[str]]]:
    """Return a function that returns the lines which reached a handler with both filters, as config/settings.py has it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactFilter())
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s [%(request_id)s] %(message)s"))
    loggers = [host_logger, logging.getLogger("portal.api")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield lambda: stream.getvalue().splitlines()
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@pytest.fixture
def line(written: Callable[[], list[str]]) -> Callable[..., str]:
    """Return ``line(message, *args)``, which logs and returns the one line that came of it."""

    def log(message: Any, *args: Any, **options: Any) -> str:
        host_logger.warning(message, *args, **options)
        (only,) = written()
        return only.partition("] ")[2]

    return log


LINES: list[tuple[Any, tuple[Any, ...], str]] = [
    (f"minted {CODE}", (), "minted pst_***"),
    (f"{KEY},{TOKEN};{CODE}", (), "prk_***,pat_***;pst_***"),
    ("minted %s for %s", (CODE, "user_123"), "minted pst_*** for user_123"),
    ("%(code)s for %(who)s", ({"code": CODE, "who": "user_123"},), "pst_*** for user_123"),
    ('"%s" %d %.1f', (f"GET /a/?session={CODE} HTTP/1.1", 200, 0.5), '"GET /a/?session=*** HTTP/1.1" 200 0.5'),
    ("/my-portal/?a=b&code=whatever#c", (), "/my-portal/?a=b&code=***#c"),
    # The format's own markers survive, also where a value follows "session=".
    ("GET /?session=%s -> %d", (CODE, 200), "GET /?session=*** -> 200"),
    ("GET /?session=%s&code=%s -> %d", (CODE, CODE, 200), "GET /?session=***&code=*** -> 200"),
    ("100% of %s", (), "100% of %s"),
    # An argument of any type ends up as text in the line.
    ("failed: %s", (ValueError(CODE),), "failed: pst_***"),
    ("%r", ([CODE],), "['pst_***']"),
    ("%s", (RequestFactory().get("/a/", {"session": CODE}),), "<WSGIRequest: GET '/a/?session=***'>"),
    (ValueError(CODE), (), "pst_***"),
    # Directly behind a letter: of an escape, of percent-encoding.
    (f"https://a.example/?next=%2F%3Fsession%3D{CODE}", (), "https://a.example/?next=%2F%3Fsession%3Dpst_***"),
    (f"line\\n{TOKEN}", (), "line\\npat_***"),
]


@pytest.mark.parametrize(("message", "args", "expected"), LINES, ids=range(len(LINES)))
def test_redact_filter(line: Callable[..., str], message: Any, args: tuple[Any, ...], expected: str) -> None:
    assert line(message, *args) == expected


def test_redact_filter_blanks_tracebacks(written: Callable[[], list[str]]) -> None:
    try:
        raise ValueError(f"no {CODE}")
    except ValueError:
        host_logger.exception("It broke")
    lines = written()
    assert lines[0].endswith("It broke")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no pst_***"


def test_redact_filter_blanks_calls_that_are_wrong(line: Callable[..., str]) -> None:
    # Logging would print the arguments to stderr as they are, and lose the line.
    assert line("%d of %d", CODE) == "'%d of %d' ('pst_***',)"


def test_redact_filter_leaves_what_is_no_secret_alone(line: Callable[..., str]) -> None:
    text = "portal.createSession 200 req_0123456789abcdef ps_0123456789ABCDEFGHIJkl ?sessions=3 pst_ prk"
    assert line(text) == text


def test_filters_keep_every_record(written: Callable[[], list[str]]) -> None:
    host_logger.info("one", extra={"request_id": "req_own"})
    host_logger.error("two", extra={"request_id": "-"})
    assert written() == ["INFO [req_own] one", "ERROR [-] two"]


def post(operation: str = "getSession", **headers: str) -> Any:
    """Call the API without a credential: no row is needed, and no statement is sent."""
    client = Client(headers=headers)
    return client.post(f"/v2/portal.{operation}", {}, content_type="application/json")


def id_of(response: Any) -> str:
    answered = response.json()["meta"]["requestId"]
    assert response["X-Request-Id"] == answered
    assert REQUEST_ID.fullmatch(answered)
    return answered


def test_ids_are_unique() -> None:
    assert len({id_of(post()) for _ in range(1000)}) == 1000


def test_an_id_of_the_caller_is_not_echoed(written: Callable[[], list[str]]) -> None:
    chosen = "req_0000000000000000"
    response = post(**{"X-Request-Id": chosen, "Request-Id": chosen, "X-Correlation-Id": chosen})
    assert id_of(response) != chosen
    assert chosen not in response.serialize().decode()
    assert chosen not in "\n".join(written())


@pytest.mark.django_db
def test_an_id_of_the_caller_is_not_echoed_by_a_page(config: Any) -> None:
    chosen = "req_0000000000000000"
    response = Client(headers={"X-Request-Id": chosen}).get("/my-portal/")
    assert response.status_code == 401
    assert REQUEST_ID.fullmatch(response["X-Request-Id"])
    assert chosen not in response.serialize().decode()


def test_log_lines_carry_the_id_of_their_answer(written: Callable[[], list[str]]) -> None:
    ids = [id_of(post()) for _ in range(3)]
    assert written() == [f"INFO [{answered}] portal.getSession 401 {answered} - 127.0.0.1" for answered in ids]


def test_log_lines_of_threads_do_not_mix(written: Callable[[], list[str]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = [id_of(response) for response in pool.map(post, ["getSession"] * 40)]
    assert len(set(ids)) == 40
    assert sorted(written()) == sorted(
        f"INFO [{answered}] portal.getSession 401 {answered} - 127.0.0.1" for answered in ids
    )


@pytest.mark.urls(__name__)
def test_the_hosts_own_requests_do_not_carry_an_earlier_id(written: Callable[[], list[str]]) -> None:
    # A server's thread serves one request after another: the id of a portal request ends with it.
    answered = id_of(post())
    assert Client().get("/own/").status_code == 200
    assert answered in written()[0]
    assert written()[1:] == ["WARNING [-] own page"]


def test_outside_a_request_there_is_no_id(written: Callable[[], list[str]]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(host_logger.warning, "a job").result()
        assert pool.submit(request_id.current).result() == "-"
    assert written() == ["WARNING [-] a job"]


def test_one_id_a_request(rf: RequestFactory) -> None:
    def compare() -> None:
        first, second = rf.get("/"), rf.get("/")
        assert request_id.ensure(first) == request_id.ensure(first)
        assert request_id.ensure(first) != request_id.ensure(second)
        assert request_id.current() == request_id.ensure(second)

    copy_context().run(compare)
