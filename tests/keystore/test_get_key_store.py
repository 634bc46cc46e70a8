"""Which store the project has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

import portal.keystore
from portal.keystore import DEFAULT_APP, get_key_store
from portal.keystore.memory import MemoryKeyStore
from portal.keystore.none import NoKeyStore

from .doubles import KeptStore

MEMORY = {"BACKEND": "portal.keystore.memory.MemoryKeyStore"}
KEPT = "tests.keystore.doubles.KeptStore"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return ``installed(yes)``, which says whether the app of the default store is installed."""

    # What an earlier test made with the same setting is another store.
    monkeypatch.setattr(portal.keystore, "_made", None)

    def say(yes: bool) -> None:
        others = apps.is_installed
        monkeypatch.setattr(apps, "is_installed", lambda name: yes if name == DEFAULT_APP else others(name))
        monkeypatch.setattr(portal.keystore, "_DEFAULT_BACKEND", MEMORY["BACKEND"])

    return say


def test_without_a_setting_there_are_no_keys(settings: Any, installed: Callable[[bool], None]) -> None:
    settings.PORTAL = {}
    installed(False)
    store = get_key_store()
    assert isinstance(store.store, NoKeyStore)
    assert not store.shows_keys
    assert not store.supports_create


def test_without_a_setting_the_installed_app_keeps_them(settings: Any, installed: Callable[[bool], None]) -> None:
    settings.PORTAL = {"KEY_STORE": None}
    installed(True)
    assert isinstance(get_key_store().store, MemoryKeyStore)


def test_a_setting_wins_over_the_installed_app(settings: Any, installed: Callable[[bool], None]) -> None:
    settings.PORTAL = {"KEY_STORE": {"BACKEND": KEPT}}
    installed(True)
    assert isinstance(get_key_store().store, KeptStore)


def test_it_is_kept_as_long_as_the_setting(settings: Any) -> None:
    settings.PORTAL = {"KEY_STORE": {"BACKEND": KEPT, "OPTIONS": {"kept": 1}}}
    first = get_key_store()
    settings.PORTAL = {"BASE_URL": "https://a.example", "KEY_STORE": {"BACKEND": KEPT, "OPTIONS": {"kept": 1}}}
    assert get_key_store() is first
    settings.PORTAL = {"KEY_STORE": {"BACKEND": KEPT, "OPTIONS": {"kept": 2}}}
    second: Any = get_key_store().store
    assert (second is first.store, second.kept) == (False, 2)
    settings.PORTAL = {"KEY_STORE": MEMORY}
    assert type(get_key_store().store) is MemoryKeyStore


def test_threads_that_come_at_once_share_one(settings: Any) -> None:
    settings.PORTAL = {"KEY_STORE": {"BACKEND": KEPT, "OPTIONS": {"opinion": "shared"}}}
    made, begin, found = KeptStore.made, threading.Barrier(8), []

    def ask() -> None:
        begin.wait()
        found.append(get_key_store())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert KeptStore.made == made + 1
    assert len({id(store) for store in found}) == 1


@pytest.mark.parametrize("wrong", ["portal.keystore.none.NoKeyStore", {"BACKEND": "nowhere.Store"}, {}])
def test_what_is_not_one_is_an_error_each_time(settings: Any, wrong: Any) -> None:
    settings.PORTAL = {"KEY_STORE": wrong}
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured):
            get_key_store()
