"""The tutorial, followed to the letter in an empty folder."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

from tests.docs.follower import Follower


def test_leads_from_nothing_into_the_portal(tutorial: Follower) -> None:
    assert tutorial.left == []
    at = urlsplit(tutorial.visitor.url)
    assert (at.path, at.query) == ("/portal/my-portal/keys/", "")
    assert any(cookie.name == "portal_session" for cookie in tutorial.visitor.cookies)
    # The link of step 7 was shown and not spent; the button of step 6 was.
    with closing(sqlite3.connect(tutorial.path("db.sqlite3"))) as database:
        query = "SELECT external_id, exchanged_at IS NOT NULL FROM portal_portalsession ORDER BY id"
        assert database.execute(query).fetchall() == [("1", 1), ("user_123", 0)]
        keys = database.execute("SELECT external_id, name, enabled FROM portal_keys_apikey").fetchall()
        assert keys == [("1", "Laptop", 1)]
