"""The callers of a race."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.races.crew import Crew


@pytest.fixture(scope="module")
def crew(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Crew]:
    """Return 64 callers on the test's own database, made with the database settings of an indirect parameter, if any.

    One at a time: each caller holds a connection, and PostgreSQL's 100 would not do for two crews.
    """
    # A connection is kept between rounds: opening one takes longer than the call, and the callers would not meet.
    database = {**connection.settings_dict, "CONN_MAX_AGE": None, **getattr(request, "param", {})}
    with Crew(database) as started:
        yield started
