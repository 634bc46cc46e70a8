"""A page does not wait for usage: a slow store costs it the numbers (ui-spec 2.4)."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from portal.deadline import Deadline
from portal.pages import usage_limit
from tests.factories import sign_in
from tests.pages.shelf import put
from tests.pages.usage_doubles import HangingOrderStore
from tests.pages.usage_flow import DOWN, USAGE
from tests.usage_store import IdleUsageStore, RemoteUsageStore, SlowUsageStore, UsageStore, use_usage_store


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr(usage_limit, "SECONDS", 0.2)
    monkeypatch.setattr(usage_limit, "_deadline", Deadline(0.2, 2))


@pytest.fixture
def page(client, config):
    """Return a function that opens the page and says whether it had numbers."""
    client.cookies["portal_session"] = sign_in(config).secret

    def get(path=USAGE):
        answer = client.get(path)
        assert answer.status_code == 200
        return DOWN not in answer.content.decode()

    return get


@pytest.mark.django_db(transaction=True)
def test_the_projects_own_database_gives_up(config, page, settings):
    use_usage_store(settings, SlowUsageStore)
    put(config, "K")
    assert not page()
    # What comes after on the same connection is not hit.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not page()


@pytest.mark.django_db(transaction=True)
def test_a_store_that_asks_no_database_is_waited_for(config, page, settings):
    store = use_usage_store(settings, IdleUsageStore)
    put(config, "K")
    assert page()
    assert store.asked == 1


@pytest.mark.django_db
@pytest.mark.parametrize("path", [USAGE, "/my-portal/keys/"])
@pytest.mark.parametrize(("kind", "threads"), [(UsageStore, 0), (RemoteUsageStore, 1)])
def test_a_system_without_another_thread(config, page, settings, monkeypatch, path, kind, threads):
    """Keys themselves need a thread only where they are elsewhere; it is the last one that there is."""
    use_usage_store(settings, kind)
    put(config, "K")
    assert page(path)
    start, left = threading.Thread.start, []

    def start_if_any(thread):
        if not left:
            raise RuntimeError("can't start new thread")
        start(thread)
        left.pop()

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_if_any)
        # More often than there are places for those who wait: none is lost.
        for _time in range(3):
            left[:] = [None] * threads
            assert not page(path)
            assert not left
    assert page(path)


@pytest.mark.django_db
def test_a_store_elsewhere_is_left_behind(config, page, settings):
    store = use_usage_store(settings, RemoteUsageStore)
    put(config, "K")
    assert page()
    store.hangs = threading.Event()
    try:
        assert not page()
        # Nor do calls pile up: two hang, and a third is not even tried.
        assert not page()
        asked = store.asked
        assert not page()
        assert store.asked == asked
    finally:
        store.hangs.set()


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["?sort=-usage", "?sort=usage&cursor=x"])
def test_who_has_waited_for_the_order_does_not_wait_for_the_numbers(config, page, settings, query):
    store = use_usage_store(settings, HangingOrderStore)
    put(config, "K")
    try:
        assert not page(f"/my-portal/keys/{query}")
        assert store.asked == 0
    finally:
        store.go.set()
    assert page(f"/my-portal/keys/{query}")
    assert store.asked == 1
