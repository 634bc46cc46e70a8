"""Hosts with caches, login walls, replicas, other time zones and mails to ADMINS: each could have been a hole."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import django
import pytest
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections
from django.test import Client
from django.utils.log import AdminEmailHandler

from portal import clock
from portal.authenticate import authenticate_root_key, authenticate_session
from portal.models import PortalConfig, PortalSession
from tests.envelopes import assert_answer
from tests.factories import issue_root_key, mint, sign_in
from tests.pages.flow import enter, field, heading, open_link, press_continue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/own/plain/", "/own/plain-class/", "/own/drf/", "/my-portal/session/", "/my-portal/signed-out/"]
)
def test_row_31_a_hosts_cache_keeps_nobodys_page(client, config, settings, path):
    cache.clear()
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    client.cookies["portal_session"] = sign_in(config, "victim").secret
    assert client.get(path).status_code == 200
    stranger = Client().get(path)
    assert b"victim" not in stranger.content
    assert stranger.status_code == (200 if "signed-out" in path else 401)


def test_row_31_what_a_plain_view_answers_varies_by_credential(client, config):
    client.cookies["portal_session"] = sign_in(config).secret
    for path in ("/own/plain/", "/own/plain-class/"):
        assert {"Cookie", "Authorization"} <= {name.strip() for name in client.get(path)["Vary"].split(",")}


def test_a_login_wall_lets_end_users_through(client, config, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    enter(client, mint(config).secret)
    for path in ("/my-portal/session/", "/own/plain/", "/own/plain-class/"):
        assert client.get(path).status_code == 200


@pytest.fixture
def zoned(monkeypatch):
    """Return a function that gives the database a time zone."""
    # The object itself: what it has worked out it keeps.
    actual = connections["default"]

    def forget():
        for name in ("timezone", "timezone_name"):
            actual.__dict__.pop(name, None)

    def give(zone):
        monkeypatch.setitem(actual.settings_dict, "TIME_ZONE", zone)
        forget()
        if connection.vendor == "postgresql":
            actual.ensure_timezone()

    yield give
    monkeypatch.undo()
    forget()
    if connection.vendor == "postgresql":
        actual.ensure_timezone()


# SQLite stores the local time, and the hour that comes twice a year is then told from no other.
@pytest.mark.parametrize("day", [datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2027, 3, 27, 12, tzinfo=UTC)])
def test_row_4_expiries_hold_in_a_database_with_a_time_zone(config, zoned, day):
    zoned("Europe/Berlin" if connection.vendor == "postgresql" else "Asia/Tokyo")
    with clock.using(lambda: day):
        session, token = sign_in(config)
        key = issue_root_key(expires_at=session.expires_at).secret
    assert session.expires_at == day + timedelta(hours=24)
    with clock.using(lambda: session.expires_at - timedelta(milliseconds=1)):
        assert authenticate_session(token).expires_at == session.expires_at
        assert authenticate_root_key(key) is not None
    with clock.using(lambda: session.expires_at):
        assert authenticate_session(token) is None
        assert authenticate_root_key(key) is None


def test_row_4_one_moment_is_itself_in_every_time_zone(config, zoned):
    moment = datetime(2026, 10, 24, 12, tzinfo=UTC)
    with clock.using(lambda: moment):
        for zone in (None, "Asia/Tokyo"):
            zoned(zone)
            session = PortalSession.objects.get(pk=mint(config).row.pk)
            assert (session.created_at, session.code_expires_at) == (moment, moment + timedelta(minutes=15))


def test_without_time_zones_the_portal_does_not_start(settings):
    from django.apps import apps

    settings.USE_TZ = False
    with pytest.raises(ImproperlyConfigured, match="USE_TZ"):
        apps.get_app_config("portal").ready()


@pytest.mark.filterwarnings("ignore:Django 2028 will not have a default mailer")  # from 6.1 on, about the host's mail
def test_row_28_no_secret_is_mailed_to_admins(client, config, settings, database_away, caplog):
    settings.ADMINS = ["op@example.com"] if django.VERSION >= (6, 0) else [("Op", "op@example.com")]
    mailer = AdminEmailHandler()
    for name in ("django", "portal"):
        logging.getLogger(name).addHandler(mailer)
    mailer.setLevel(logging.ERROR)
    try:
        token = sign_in(config).secret
        code = mint(config).secret
        client.cookies["portal_session"] = token
        nonce = open_link(client, mint(config).secret).cookies["__Host-portal_nonce"].value
        for error in (OperationalError("gone"), RuntimeError("broken")):
            with database_away(error):
                assert open_link(client, code).status_code >= 500
                assert client.post("/my-portal/enter/", {"code": code}).status_code >= 500
                headers = {"Authorization": f"Bearer {token}"}
                body = {"sessionId": code}
                client.post("/v2/portal.exchangeSession", body, content_type="application/json", headers=headers)
    finally:
        for name in ("django", "portal"):
            logging.getLogger(name).removeHandler(mailer)
    assert mail.outbox
    for message in mail.outbox:
        text = message.subject + message.body + "".join(str(part) for part in message.alternatives)
        for secret in (token, code, nonce):
            assert secret not in text


def test_row_19_revoking_writes_where_writes_go(config, settings):
    settings.DATABASE_ROUTERS = ["tests.hosts.replicas.ReadsElsewhere"]
    session, token = sign_in(config)
    read_elsewhere = PortalSession(**{field.attname: getattr(session, field.attname) for field in session._meta.fields})
    read_elsewhere.config = config
    read_elsewhere._state.db = "replica"
    read_elsewhere._state.adding = False
    assert read_elsewhere.revoke() is True
    assert authenticate_session(token) is None


def test_reads_that_must_be_fresh_and_deletions_go_where_writes_go(client, config, settings):
    """The replica of this test is no database at all: whatever reads from it fails."""
    settings.DATABASE_ROUTERS = ["tests.hosts.replicas.SessionsElsewhere"]
    assert heading(open_link(client, mint(config).secret)) == "Continue to Northwind Maps"
    enter(client, mint(config).secret)
    settings.DATABASE_ROUTERS = ["tests.hosts.replicas.ReadsElsewhere"]
    PortalConfig.objects.filter(slug="my-portal").delete()
    settings.DATABASE_ROUTERS = []
    assert not PortalConfig.objects.exists()


def test_a_sliced_deletion_is_refused_as_in_django(config):
    with pytest.raises(TypeError, match="limit"):
        PortalConfig.objects.all()[:1].delete()
    assert PortalConfig.objects.exists()


def test_row_15_every_database_is_taken_out_of_atomic_requests():
    from django.urls import resolve

    for path in ("/v2/portal.createSession", "/my-portal/"):
        assert resolve(path).func._non_atomic_requests == set(connections)


def test_row_13_who_signs_in_meanwhile_is_asked(client, config):
    """The page was shown to nobody in particular; then, in another tab, Ada signed in."""
    landing = open_link(client, mint(config, "mallory").secret, **{"Sec-Fetch-Site": "same-origin"})
    assert "data-continues" in landing.content.decode()
    ada = enter(client, mint(config, "ada").secret)
    answer = press_continue(client, landing)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert heading(answer) == "Continue to Northwind Maps"
    assert "data-continues" not in html
    assert "You are signed in as" in html
    assert authenticate_session(ada).external_id == "ada"
    # Asked, the person may still say yes.
    assert press_continue(client, answer).status_code == 303
    assert authenticate_session(ada) is None


def test_row_13_what_the_page_asked_about_cannot_be_changed(client, config):
    landing = open_link(client, mint(config, "mallory").secret)
    ada = enter(client, mint(config, "ada").secret)
    html = landing.content.decode()
    form = {name: field(html, name) for name in ("code", "form_token", "instead_of")}
    form["instead_of"] = PortalSession.objects.get(external_id="ada").public_id
    assert client.post("/my-portal/enter/", form).status_code == 403
    assert authenticate_session(ada) is not None


def test_a_dead_code_beside_another_session_is_a_dead_link(client, config):
    code = mint(config, "bob").secret
    landing = open_link(client, code)
    enter(client, mint(config, "ada").secret)
    PortalSession.objects.filter(external_id="bob").delete()
    assert heading(press_continue(client, landing)) == "This link no longer works"


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded; charset=latin-1", "multipart/form-data", "multipart/form-data; boundary=é"],
)
def test_a_form_of_an_odd_type_is_a_400_page(client, config, content_type, caplog):
    open_link(client, mint(config).secret)
    answer = client.generic("POST", "/my-portal/enter/", b"code=x", content_type=content_type)
    assert (answer.status_code, heading(answer)) == (400, "That didn’t work")
    assert "Traceback" not in caplog.text


def test_a_query_of_a_thousand_parameters_is_a_400_page(client, config):
    answer = client.get("/my-portal/?" + "a=1&" * 1500)
    assert (answer.status_code, heading(answer)) == (400, "That didn’t work")
    assert answer["Content-Security-Policy"]


def test_a_refusal_that_meets_a_dead_database_is_a_503_page(client, config):
    client.cookies["portal_session"] = "pat_" + "0" * 43

    def fail_second(execute, sql, *rest):
        if "token_hash" in sql:
            raise OperationalError
        return execute(sql, *rest)

    with connection.execute_wrapper(fail_second):
        answer = client.put("/my-portal/session/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("error", [OperationalError, RuntimeError])
def test_row_30_faults_keep_the_code_from_referers(client, config, database_away, error):
    with database_away(error):
        assert open_link(client, "x" * 43)["Referrer-Policy"] == "strict-origin"


def test_the_number_on_the_500_page_is_in_the_log(client, config, database_away, caplog):
    from portal.request_id import RequestIdFilter

    caplog.handler.addFilter(RequestIdFilter())
    with database_away(RuntimeError("broken")):
        answer = client.get("/my-portal/session/")
    ids = {record.request_id for record in caplog.records if record.name == "portal.pages"}
    assert ids == {answer["X-Request-Id"]}


def test_row_26_thousands_of_mistakes_get_a_short_answer(client, db):
    body = {f"m{number}": 1 for number in range(15_000)} | {"y" * 5000: 1}
    answer = client.post("/v2/portal.exchangeSession", body, content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.json()["error"]["errors"]) == 20
    assert len(answer.content) < 4000


def test_row_26_so_do_thousands_of_bad_items(api, config, root_key):
    body = {"slug": "my-portal", "externalId": "u", "permissions": ["bad"] * 256}
    answer = api("createSession", body, token=root_key.secret)
    assert len(answer.json()["error"]["errors"]) == 20


def test_a_stale_rotation_revives_no_leaked_secret():
    root_key, leaked = issue_root_key()
    stale = type(root_key).objects.get(pk=root_key.pk)
    current = root_key.rotate().secret
    newest = stale.rotate(timedelta(hours=24)).secret
    assert authenticate_root_key(leaked) is None
    assert authenticate_root_key(current) is not None
    assert authenticate_root_key(newest) is not None


def test_what_is_not_saved_ends_no_session(config):
    token = sign_in(config).secret
    config.enabled, config.keyspace_id = False, "ks_2"
    config.save(update_fields=["display_name"])
    assert authenticate_session(token) is not None


def test_decision_14_pointing_elsewhere_in_bulk_closes_the_old_keyspaces_sessions(config):
    token = sign_in(config).secret
    PortalConfig.objects.update(keyspace_id="ks_2")
    assert authenticate_session(token) is None


def test_a_mint_that_happened_is_answered_though_the_last_use_cannot_be_written(api, config, root_key, caplog):
    def fail(execute, sql, *rest):
        if sql.startswith("UPDATE") and "last_used_at" in sql:
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    body = {"slug": "my-portal", "externalId": "u", "permissions": ["keys:read"]}
    with connection.execute_wrapper(fail):
        assert_answer(api("createSession", body, token=root_key.secret))
    assert root_key.row.public_id in caplog.text


def test_row_45_a_replaced_session_is_recorded_as_whose_it_was(client, config):
    from portal.models import PortalEvent

    enter(client, mint(config, "alice").secret)
    replaced = PortalSession.objects.get()
    enter(client, mint(config, "bob").secret)
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.SESSION_REVOKED)
    assert (event.external_id, event.session_id, event.portal_id) == ("alice", replaced.public_id, config.public_id)
    assert event.actor_id == "bob"


def test_row_34_a_stored_frame_ancestor_cannot_add_a_directive(client, config):
    bad = ["https://app.example.com; report-uri https://evil.example", "https://ok.example.com", "x\ny"]
    PortalConfig.objects.update(frame_ancestors=bad)
    policy = client.get("/my-portal/")["Content-Security-Policy"]
    assert "frame-ancestors https://ok.example.com;" in policy
    assert "evil" not in policy


def test_decision_15_a_preview_is_refused_unsafe_methods_behind_any_capability(client, config):
    token = sign_in(config, preview=True).secret
    bearer = {"headers": {"Authorization": f"Bearer {token}"}}
    assert client.get("/own/drf-capability/", **bearer).status_code == 200
    assert client.post("/own/drf-capability/", {}, content_type="application/json", **bearer).status_code == 403


def test_a_session_can_be_a_key_of_a_dictionary(config):
    token = sign_in(config).secret
    assert len({authenticate_session(token), authenticate_session(token)}) == 1


def test_an_async_view_is_refused_when_it_is_written():
    from portal.pages.access import portal_session_required

    async def view(request):
        return None

    with pytest.raises(TypeError, match="synchronous"):
        portal_session_required(view)


def test_wcag_3_1_1_a_page_calls_itself_only_what_it_is(client, config):
    for language in ("de", "ar", "xx", "en-gb"):
        html = client.get("/my-portal/", headers={"Accept-Language": language}).content.decode()
        assert '<html lang="en' in html
        assert 'dir="ltr"' in html
