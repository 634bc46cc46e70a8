"""``Server-Timing``: where the time of a request went, for developers and for nobody else."""

from __future__ import annotations

import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import Client

from portal.server_timing import ServerTimingMiddleware
from tests.factories import mint, sign_in
from tests.pages.flow import enter

pytestmark = pytest.mark.django_db

HEADER = re.compile(r'db;dur=(\d+\.\d);desc="(\d+) (query|queries)", total;dur=(\d+\.\d)')


@pytest.fixture(autouse=True)
def middleware(settings):
    settings.MIDDLEWARE = ["portal.server_timing.ServerTimingMiddleware", *settings.MIDDLEWARE]
    settings.DEBUG = True


def timing(answer):
    """Return queries, the word for them, and the milliseconds of the database and of all."""
    database, number, word, total = HEADER.fullmatch(answer["Server-Timing"]).groups()
    return int(number), word, float(database), float(total)


def test_a_page_says_how_many_queries_it_sent_and_how_long_all_took(client, config, django_assert_num_queries):
    enter(client, mint(config).secret)
    with django_assert_num_queries(2):
        answer = client.get("/my-portal/session/")
    number, word, database, total = timing(answer)
    assert (number, word) == (2, "queries")
    assert 0 <= database <= total
    assert total > 0


def test_so_does_an_answer_of_the_api(api, config):
    assert timing(api("getSession", token=sign_in(config).secret))[:2] == (1, "query")
    assert timing(api("getSession"))[:2] == (0, "queries")


def test_the_time_of_the_database_is_the_databases(client, config, monkeypatch):
    # A clock that the statements alone move: a second each.
    now = iter(range(1000))
    monkeypatch.setattr("portal.server_timing.perf_counter", lambda: next(now))
    number, _, database, total = timing(client.get("/my-portal/session/"))
    assert (database, total) == (number * 1000, (2 * number + 1) * 1000)
    assert number


def test_a_statement_that_fails_took_time_too(rf):
    def view(request):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing")
        return HttpResponse()

    # Beside it a savepoint, the way back to it, and its end.
    assert timing(ServerTimingMiddleware(view)(rf.get("/")))[0] == 4


@pytest.mark.parametrize(
    "path", ["/my-portal/", "/no-such-portal/", "/v2/portal.getSession", "/errors/", "/own/plain/"]
)
def test_without_debug_a_stranger_learns_nothing(client, config, settings, path):
    assert "Server-Timing" in client.get(path)
    settings.DEBUG = False
    assert "Server-Timing" not in Client().get(path)


def test_what_a_view_says_itself_stays(rf):
    answer = ServerTimingMiddleware(lambda request: HttpResponse(headers={"Server-Timing": "cache"}))(rf.get("/"))
    first, ours = answer["Server-Timing"].split(", ", 1)
    assert first == "cache"
    assert HEADER.fullmatch(ours)
