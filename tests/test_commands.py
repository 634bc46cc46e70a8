"""The management commands of design section 5."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portal import clock
from portal.authenticate import authenticate_root_key
from portal.keystore import get_key_store
from portal.keystore.none import NoKeyStore
from portal.models import PortalConfig, PortalEvent, PortalSession, RootKey
from portal.permissions import CAPABILITIES, MINT_ANY_SESSION
from portal.testing import PortalClient
from tests.factories import mint, sign_in

pytestmark = pytest.mark.django_db

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class AwayKeyStore(NoKeyStore):
    """It cannot be reached."""

    def purge(self, before, batch_size):
        raise ConnectionError


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments):
    lines = run(*arguments, "--json").strip().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def test_create_portal():
    answer = run_json(
        "portal_create_portal",
        "my-portal",
        "--name",
        "Northwind Maps",
        "--return-origin",
        "https://app.example.com",
        "--return-origin",
        "http://localhost:3000",
        "--allowed-origin",
        "https://shop.example.com",
        "--return-url",
        "https://app.example.com/settings",
        "--keyspace",
        "ks_1",
    )
    config = PortalConfig.objects.get()
    assert answer == {"id": config.public_id, "slug": "my-portal"}
    assert config.return_origins == ["https://app.example.com", "http://localhost:3000"]
    assert config.allowed_origins == ["https://shop.example.com"]
    assert (config.display_name, config.keyspace_id) == ("Northwind Maps", "ks_1")
    assert "Created portal my-portal-2 (prt_" in run("portal_create_portal", "my-portal-2")
    assert PortalConfig.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["My Portal"], "slug: Use 3 to 64 lowercase letters"),
        (["admin"], "slug: This word is reserved"),
        (["ok-slug", "--return-origin", "app.example.com"], "return_origins: app.example.com: Start with https://"),
        (["ok-slug", "--return-url", "https://app.example.com/"], "return_url: Use a URL whose origin"),
    ],
)
def test_create_portal_says_what_to_change(arguments, words):
    with pytest.raises(CommandError) as caught:
        run("portal_create_portal", *arguments)
    assert words in str(caught.value)
    assert not PortalConfig.objects.exists()


def test_create_portal_twice(config):
    with pytest.raises(CommandError, match=r"^A portal with this slug exists already"):
        run("portal_create_portal", "my-portal")


def test_create_root_key():
    answer = run_json("portal_create_root_key", "Backend")
    root_key = RootKey.objects.get()
    assert answer["id"] == root_key.public_id
    assert authenticate_root_key(answer["key"]).permissions == MINT_ANY_SESSION
    text = run("portal_create_root_key", "Everything", "--permission", "*")
    assert authenticate_root_key(text.split()[0]).permissions == ("*",)
    assert "cannot be shown again" in text


@pytest.mark.parametrize("arguments", [["x" * 101], [""], ["Backend", "--permission", "keys:fly"]])
def test_create_root_key_says_what_to_change(arguments):
    with pytest.raises(CommandError):
        run("portal_create_root_key", *arguments)
    assert not RootKey.objects.exists()


def test_open(config, settings):
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    answer = run_json("portal_open", "my-portal", "user_123", "--return-url", "https://app.example.com/x")
    assert answer["url"] == f"https://portal.example.com/my-portal/?session={answer['session']}"
    browser = PortalClient()
    browser.follow(answer["url"])
    session = browser.portal_session
    assert (session.external_id, session.permissions) == ("user_123", CAPABILITIES)
    url = run("portal_open", "my-portal", "user_123", "--preview", "--permission", "api.*.read_key").strip()
    assert url.startswith("https://portal.example.com/my-portal/?session=pst_")
    session = PortalSession.objects.first()
    assert (session.preview, session.permissions) == (True, ["api.*.read_key"])


def test_open_says_what_is_wrong(config, settings):
    for arguments, words in (
        (["nowhere", "user_123"], "Portal configuration not found."),
        (["my-portal", ""], "external_id"),
        (["my-portal", "u", "--permission", "fly"], "permissions"),
        (["my-portal", "u", "--return-url", "https://evil.example"], "return_url"),
    ):
        with pytest.raises(CommandError, match=words):
            run("portal_open", *arguments)
    settings.PORTAL = {}
    with pytest.raises(CommandError, match="BASE_URL"):
        run("portal_open", "my-portal", "user_123")
    assert not PortalSession.objects.exists()


@pytest.fixture
def noon():
    with clock.using(lambda: NOON):
        yield


@pytest.mark.usefixtures("noon")
def test_purge(config, settings):
    settings.PORTAL = {
        **settings.PORTAL,
        "PURGE_AFTER": timedelta(days=1),
        "EVENT_RETENTION": timedelta(hours=30),
        "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"},
    }
    for _ in range(5):
        mint(config)
    with clock.using(lambda: NOON + timedelta(hours=1)):
        kept = sign_in(config).row
    events = PortalEvent.objects.count()
    with clock.using(lambda: NOON + timedelta(days=1, minutes=20)):
        old = {"sessions": 5, "events": 0}
        assert run_json("portal_purge", "--dry-run") == {"would_delete": old}
        assert "Would delete 5 sessions and 0 events" in run("portal_purge", "--dry-run")
        assert run_json("portal_purge", "--batch", "2") == {"deleted": {**old, "keys": 0}}
        assert run("portal_purge") == "Deleted 0 sessions, 0 events and 0 revoked keys.\n"
    assert list(PortalSession.objects.all()) == [kept]
    with clock.using(lambda: NOON + timedelta(hours=30, minutes=20)):
        assert run_json("portal_purge", "--batch", "2") == {"deleted": {"sessions": 0, "events": events - 2, "keys": 0}}
    assert {event.kind for event in PortalEvent.objects.all()} == {"session.created", "session.exchanged"}
    with pytest.raises(CommandError, match="--batch"):
        run("portal_purge", "--batch", "0")


@pytest.mark.usefixtures("noon")
def test_purge_lets_the_key_store_delete_in_batches(settings):
    store = {"BACKEND": "tests.keystore.doubles.KeptStore", "OPTIONS": {"kept": 5}}
    settings.PORTAL = {**settings.PORTAL, "PURGE_AFTER": timedelta(days=1), "KEY_STORE": store}
    assert run_json("portal_purge", "--dry-run") == {"would_delete": {"sessions": 0, "events": 0}}
    assert get_key_store().store.asked == []
    assert run_json("portal_purge", "--batch", "2") == {"deleted": {"sessions": 0, "events": 0, "keys": 5}}
    assert get_key_store().store.asked == [(NOON - timedelta(days=1), 2)] * 4
    assert "and 0 revoked keys" in run("portal_purge")


@pytest.mark.usefixtures("noon")
def test_purge_has_done_the_rest_when_the_key_store_is_away(config, settings):
    mint(config)
    with clock.using(lambda: NOON + timedelta(days=60)):
        settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "tests.test_commands.AwayKeyStore"}}
        with pytest.raises(ConnectionError):
            run("portal_purge")
    assert not PortalSession.objects.exists()
