"""Portals by API: made, read, changed and deleted by root key (wire contract section 6; security rows 23, 25, 44, 45)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.models.signals import pre_save
from django.test import Client

from portal import clock
from portal.models import PortalConfig, PortalEvent, PortalSession, RootKey
from portal.slugs import RESERVED
from portal.throttle import forget_counts
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db

INVALID = "unkey/application/invalid_input"
NOT_FOUND = "unkey/data/portal_not_found"
TAKEN = "unkey/data/portal_already_exists"
LACKING = "unkey/authorization/insufficient_permissions"

BODY = {"slug": "new-portal", "displayName": "Northwind", "keyspaceId": "ks_new"}
CREATED_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def key(*granted: str) -> str:
    return issue_root_key(granted=granted or ["*"]).secret


def locations(answer, status=400, code=INVALID) -> list[str]:
    return [finding["location"] for finding in assert_refused(answer, status, code)]


# createPortal ----------------------------------------------------------------------------------------------------------


def test_a_portal_is_made_with_what_the_body_says(api):
    body = {**BODY, "enabled": False, "logoUrl": "https://cdn.example.com/logo.png", "primaryColor": "#2563EB"}
    root_key, secret = issue_root_key(granted=["portal.*.create_portal"])
    data = assert_answer(api("createPortal", body, token=secret))["data"]
    portal = PortalConfig.objects.get()
    assert data == {"portalId": portal.public_id}
    assert (portal.slug, portal.display_name, portal.keyspace_id, portal.enabled) == (
        "new-portal",
        "Northwind",
        "ks_new",
        False,
    )
    assert (portal.logo_url, portal.primary_color) == ("https://cdn.example.com/logo.png", "#2563EB")
    event = PortalEvent.objects.get(kind="portal.created")
    assert (event.actor_kind, event.actor_id, event.address) == ("root_key", root_key.public_id, "127.0.0.1")
    assert event.portal_id == portal.public_id


def test_a_portal_is_open_and_plain_if_nothing_is_said(api):
    assert_answer(api("createPortal", BODY, token=key()))
    portal = PortalConfig.objects.get()
    assert (portal.enabled, portal.logo_url, portal.primary_color) == (True, "", "")


@pytest.mark.parametrize(
    "granted",
    ["portal.*.update_portal", "portal.*.create_portal_session", "portal.prt_1.create_portal", "keys:read"],
)
def test_row_23_only_the_permission_for_all_portals_makes_one(api, granted):
    answer = api("createPortal", BODY, token=key(granted))
    assert_refused(answer, 403, LACKING, "Missing permission: 'portal.*.create_portal'")
    assert not PortalConfig.objects.exists()


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"slug": None}, "body.slug"),
        ({"slug": "no"}, "body.slug"),
        ({"slug": "New-Portal"}, "body.slug"),
        ({"slug": "new--portal"}, "body.slug"),
        ({"slug": "x" * 65}, "body.slug"),
        *(({"slug": word}, "body.slug") for word in sorted(RESERVED)[:3]),
        ({"displayName": ""}, "body.displayName"),
        ({"displayName": " Northwind"}, "body.displayName"),
        ({"displayName": "Northwind\u2003"}, "body.displayName"),
        ({"displayName": "x" * 65}, "body.displayName"),
        ({"displayName": None}, "body.displayName"),
        ({"keyspaceId": ""}, "body.keyspaceId"),
        ({"keyspaceId": "x" * 257}, "body.keyspaceId"),
        ({"keyspaceId": " ks_1"}, "body.keyspaceId"),
        ({"keyspaceId": "prt_" + "0" * 22}, "body.keyspaceId"),
        ({"appId": "app_1"}, "body.appId"),
        ({"enabled": "yes"}, "body.enabled"),
        ({"logoUrl": None}, "body.logoUrl"),
        ({"logoUrl": "http://cdn.example.com/logo.png"}, "body.logoUrl"),
        ({"logoUrl": "http://localhost/logo.png"}, "body.logoUrl"),
        ({"logoUrl": "https://cdn.example.com/a b.png"}, "body.logoUrl"),
        ({"logoUrl": "https://cdn.example.com/" + "x" * 480}, "body.logoUrl"),
        ({"logoUrl": "javascript:alert(1)"}, "body.logoUrl"),
        ({"primaryColor": "#12345"}, "body.primaryColor"),
        ({"primaryColor": "#1234567"}, "body.primaryColor"),
        ({"primaryColor": "red"}, "body.primaryColor"),
        ({"primaryColor": None}, "body.primaryColor"),
        # What the model has and the contract has not (security row 25).
        ({"return_origins": ["https://evil.example"]}, "body.return_origins"),
        ({"public_id": "prt_1"}, "body.public_id"),
    ],
)
def test_row_25_what_a_portal_cannot_be_is_named(api, change, location):
    assert locations(api("createPortal", {**BODY, **change}, token=key())) == [location]
    assert not PortalConfig.objects.exists()


@pytest.mark.parametrize("member", ["slug", "displayName", "keyspaceId"])
def test_a_portal_needs_a_slug_a_name_and_a_keyspace(api, member):
    body = {name: value for name, value in BODY.items() if name != member}
    assert locations(api("createPortal", body, token=key())) == [f"body.{member}"]


def test_the_refusal_of_an_app_says_what_to_give_instead(api):
    body = {"slug": "new-portal", "displayName": "Northwind", "appId": "app_1"}
    (finding,) = assert_refused(api("createPortal", body, token=key()), 400, INVALID)
    assert (finding["location"], finding["fix"]) == ("body.appId", "Remove the member.")
    assert "Give keyspaceId" in finding["message"]


def test_the_bounds_of_what_a_portal_can_be(api):
    body = {
        "slug": "x" * 64,
        "displayName": "x" * 64,
        "keyspaceId": "x" * 256,
        "logoUrl": "HTTPS://cdn.example.com/".ljust(500, "x"),
        "primaryColor": "#abcdef",
    }
    assert_answer(api("createPortal", body, token=key()))


def test_a_slug_belongs_to_one_portal(api):
    PortalConfigFactory(slug="new-portal")
    answer = api("createPortal", BODY, token=key())
    assert_refused(answer, 409, TAKEN, "That slug is already in use. Choose a different slug.")
    assert answer.json()["error"]["title"] == "Conflicting Resource"
    assert PortalConfig.objects.count() == 1


def test_a_keyspace_has_one_portal(api):
    PortalConfigFactory(keyspace_id="ks_new")
    answer = api("createPortal", BODY, token=key())
    assert_refused(answer, 409, TAKEN, "That app or keyspace already has a portal.")
    assert PortalConfig.objects.count() == 1
    assert not PortalEvent.objects.filter(kind="portal.created", actor_kind="root_key").exists()


def test_another_fault_of_the_database_is_not_taken_for_a_slug_that_is_taken(api):
    def refuse(**_):
        raise IntegrityError("something else")

    pre_save.connect(refuse, sender=PortalConfig)
    try:
        assert_refused(api("createPortal", BODY, token=key()), 500, "unkey/application/unexpected_error")
    finally:
        pre_save.disconnect(refuse, sender=PortalConfig)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", ["slug", "keyspaceId"])
def test_of_many_at_once_one_portal_gets_the_slug_or_the_keyspace(same):
    callers, secret = 8, key()
    with ThreadPoolExecutor(callers) as threads:
        for number in range(4):
            start = Barrier(callers, timeout=60)

            def call(caller, number=number, start=start):
                body = {"slug": f"p-{number}-{caller}", "displayName": "P", "keyspaceId": f"ks_{number}_{caller}"}
                body[same] = f"same-{number}"
                start.wait()
                try:
                    headers = {"Authorization": f"Bearer {secret}"}
                    return Client().post("/v2/portal.createPortal", body, "application/json", headers=headers)
                finally:
                    connection.close()

            answers = list(threads.map(call, range(callers)))
            assert sorted(answer.status_code for answer in answers) == [200] + [409] * (callers - 1)
            assert PortalConfig.objects.count() == number + 1


# getPortal -------------------------------------------------------------------------------------------------------------


def read(api, secret=None, **body):
    return assert_answer(api("getPortal", body, token=secret or key()))["data"]


def test_a_portal_as_the_contract_writes_it(api):
    with clock.using(lambda: CREATED_AT):
        body = {**BODY, "logoUrl": "https://cdn.example.com/logo.png", "primaryColor": "#2563eb"}
        portal_id = assert_answer(api("createPortal", body, token=key()))["data"]["portalId"]
    expected = {
        "id": portal_id,
        "slug": "new-portal",
        "displayName": "Northwind",
        "keyspaceId": "ks_new",
        "enabled": True,
        "createdAt": 1795521600000,
        "branding": {"logoUrl": "https://cdn.example.com/logo.png", "primaryColor": "#2563eb"},
    }
    assert read(api, portal=portal_id) == read(api, portal="new-portal") == read(api, keyspaceId="ks_new") == expected


def test_what_a_portal_does_not_have_is_left_out(api):
    with clock.using(lambda: CREATED_AT):
        portal = PortalConfigFactory(slug="bare", display_name="", keyspace_id="")
    assert read(api, portal="bare") == {
        "id": portal.public_id,
        "slug": "bare",
        "displayName": "bare",
        "keyspaceId": portal.public_id,
        "enabled": True,
        "createdAt": 1795521600000,
    }
    PortalConfig.objects.update(primary_color="#2563eb")
    assert read(api, portal="bare")["branding"] == {"primaryColor": "#2563eb"}
    assert read(api, keyspaceId=portal.public_id)["slug"] == "bare"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"portal": "my-portal", "keyspaceId": "ks_1"},
        {"keyspaceId": "ks_1", "appId": "app_1"},
        {"portal": "my-portal", "keyspaceId": "ks_1", "appId": "app_1"},
    ],
)
def test_a_portal_is_named_in_one_way(api, config, body):
    assert locations(api("getPortal", body, token=key())) == ["body"]


def test_an_app_has_no_portal(api):
    PortalConfigFactory(keyspace_id="")
    assert_refused(api("getPortal", {"appId": "app_1"}, token=key()), 404, NOT_FOUND)


def test_of_portals_that_share_a_keyspace_the_oldest_that_the_key_may_read(api):
    first, second, third = (PortalConfigFactory(keyspace_id="shared") for _ in range(3))
    assert read(api, keyspaceId="shared")["id"] == first.public_id
    own = key(f"portal.{second.public_id}.read_portal", f"portal.{third.public_id}.read_portal")
    assert read(api, own, keyspaceId="shared")["id"] == second.public_id
    assert_refused(api("getPortal", {"keyspaceId": "shared"}, token=key("keys:read")), 404, NOT_FOUND)


def test_a_keyspace_without_a_portal(api, config):
    assert_refused(api("getPortal", {"keyspaceId": "ks_2"}, token=key()), 404, NOT_FOUND)


# Permissions -----------------------------------------------------------------------------------------------------------

ACTS = {
    "getPortal": ("read_portal", {}),
    "updatePortal": ("update_portal", {"displayName": "New"}),
    "deletePortal": ("delete_portal", {}),
    "listSessions": ("create_portal_session", {}),
    "revokeSession": ("create_portal_session", {"externalId": "user_123"}),
}


def body_of(operation: str) -> dict:
    """Return a good body, about the portal of the fixture or for a new one."""
    return {"portal": "my-portal", **ACTS[operation][1]} if operation in ACTS else BODY


@pytest.mark.parametrize("operation", ACTS)
def test_row_44_a_portal_that_a_key_may_not_touch_is_as_unknown_as_one_that_is_not_there(api, config, operation):
    action, members = ACTS[operation]
    other = PortalConfigFactory()
    others = {f"portal.*.{act}" for act, _ in ACTS.values()} - {f"portal.*.{action}"}
    lacking = key(f"portal.{other.public_id}.{action}", "portal.*.create_portal", "keys:read", *others)
    answers = [
        api(operation, {"portal": config.public_id, **members}, token=lacking),
        api(operation, {"portal": "my-portal", **members}, token=lacking),
        api(operation, {"portal": "no-portal", **members}, token=key()),
        api(operation, {"portal": "prt_" + "0" * 22, **members}, token=key()),
    ]
    for answer in answers:
        assert assert_refused(answer, 404, NOT_FOUND, "Portal not found.") == []
    assert len({str(answer.json()["error"]) for answer in answers}) == 1
    assert PortalConfig.objects.get(pk=config.pk).display_name == config.display_name


def test_row_23_the_permission_for_one_portal_opens_no_other_keys(api, config):
    """Else its holder could point the portal at keys that no portal shows, and have them read and rotated there."""
    secret = key(f"portal.{config.public_id}.update_portal")
    answer = api("updatePortal", {"portal": "my-portal", "keyspaceId": "internal"}, token=secret)
    assert locations(answer) == ["body.keyspaceId"]
    assert PortalConfig.objects.get().keyspace_id == config.keyspace_id
    # The keyspace that it has is no other.
    assert_answer(api("updatePortal", {"portal": "my-portal", "keyspaceId": config.keyspace_id}, token=secret))


@pytest.mark.parametrize("operation", ACTS)
@pytest.mark.parametrize("resource", ["*", "id"])
@pytest.mark.parametrize("named_by", ["public_id", "slug"])
def test_the_permission_for_one_portal_or_for_all(api, config, operation, resource, named_by):
    action, members = ACTS[operation]
    secret = key(f"portal.{config.public_id if resource == 'id' else '*'}.{action}")
    assert_answer(api(operation, {"portal": getattr(config, named_by), **members}, token=secret))


@pytest.mark.parametrize("operation", [*ACTS, "createPortal"])
def test_row_22_only_a_root_key_manages(api, config, operation):
    body = body_of(operation)
    assert_refused(api(operation, body), 401, "unkey/authentication/missing")
    assert_refused(api(operation, body, token=sign_in(config).secret), 401, "unkey/authentication/key_not_found")
    row, secret = issue_root_key(granted=["*"])
    row.disable()
    assert_refused(api(operation, body, token=secret), 403, "unkey/authorization/key_disabled")
    answer = api(operation, body, token=key(), Origin="https://app.example.com")
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("operation", [*ACTS, "createPortal"])
def test_writes_count_as_minting_does_and_reads_do_not(api, config, settings, operation):
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"create_session": "1/min"}}
    forget_counts()
    secret = key()
    session = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
    assert_answer(api("createSession", session, token=secret))
    answer = api(operation, body_of(operation), token=secret)
    if operation in {"getPortal", "listSessions"}:
        assert_answer(answer)
    else:
        assert_refused(answer, 429, "user/too_many_requests/workspace_rate_limited")
    assert PortalConfig.objects.count() == 1


@pytest.mark.parametrize("operation", [*ACTS, "createPortal"])
def test_the_key_was_used(api, config, operation):
    secret = key()
    assert_answer(api(operation, body_of(operation), token=secret))
    assert RootKey.objects.get().last_used_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_use_that_cannot_be_noted_spoils_no_answer(api, config, caplog):
    def refuse(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "last_used_at" in sql:
            raise OperationalError("away")
        return execute(sql, params, many, context)

    secret = key()
    with connection.execute_wrapper(refuse):
        assert_answer(api("deletePortal", {"portal": "my-portal"}, token=secret))
    assert "could not be written" in caplog.text
    assert not PortalConfig.objects.exists()


# updatePortal ----------------------------------------------------------------------------------------------------------


def update(api, secret=None, **body):
    return api("updatePortal", {"portal": "my-portal", **body}, token=secret or key())


@pytest.mark.parametrize(
    ("member", "field", "value"),
    [
        ("slug", "slug", "other-portal"),
        ("displayName", "display_name", "Contoso"),
        ("keyspaceId", "keyspace_id", "ks_2"),
        ("enabled", "enabled", False),
        ("logoUrl", "logo_url", "https://cdn.example.com/new.png"),
        ("primaryColor", "primary_color", "#112233"),
    ],
)
def test_what_the_body_names_changes_and_nothing_else(api, config, member, field, value):
    PortalConfig.objects.update(logo_url="https://cdn.example.com/old.png", primary_color="#000000")
    before = PortalConfig.objects.values().get()
    data = assert_answer(update(api, **{member: value}))["data"]
    after = PortalConfig.objects.values().get()
    assert {name for name in after if after[name] != before[name]} == {field, "updated_at"}
    assert after[field] == value
    assert {**data, **data["branding"]}[member] == value
    assert data["updatedAt"] == clock.to_milliseconds(after["updated_at"])
    assert data == read(api, portal=config.public_id)


def test_row_45_a_change_is_recorded_with_the_key_that_made_it(api, config):
    root_key, secret = issue_root_key(granted=["portal.*.update_portal"])
    assert_answer(update(api, secret, displayName="Contoso", primaryColor=None))
    event = PortalEvent.objects.get(kind="portal.changed")
    assert (event.actor_kind, event.actor_id, event.address) == ("root_key", root_key.public_id, "127.0.0.1")
    assert event.detail == {"slug": "my-portal", "fields": ["display_name", "primary_color"]}


def test_null_takes_logo_and_color_away(api, config):
    PortalConfig.objects.update(logo_url="https://cdn.example.com/old.png", primary_color="#000000")
    assert "branding" not in assert_answer(update(api, logoUrl=None, primaryColor=None))["data"]
    assert PortalConfig.objects.values_list("logo_url", "primary_color").get() == ("", "")


def test_a_change_of_nothing_is_refused(api, config):
    assert locations(update(api)) == ["body"]


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"slug": "admin"}, "body.slug"),
        ({"slug": None}, "body.slug"),
        ({"displayName": None}, "body.displayName"),
        ({"displayName": "Contoso "}, "body.displayName"),
        ({"keyspaceId": None}, "body.keyspaceId"),
        ({"keyspaceId": "prt_" + "0" * 22}, "body.keyspaceId"),
        ({"appId": "app_1"}, "body.appId"),
        ({"enabled": None}, "body.enabled"),
        ({"logoUrl": "http://localhost/logo.png"}, "body.logoUrl"),
        ({"primaryColor": "#12345g"}, "body.primaryColor"),
    ],
)
def test_what_a_portal_cannot_become_is_named(api, config, change, location):
    before = PortalConfig.objects.values().get()
    assert locations(update(api, **change)) == [location]
    assert PortalConfig.objects.values().get() == before


def test_what_an_operator_made_of_other_fields_is_not_the_callers_to_mend(api, config):
    PortalConfig.objects.update(return_url="https://elsewhere.example/", support_url="ftp://x", logo_url="ftp://x")
    assert_answer(update(api, displayName="Contoso"))
    assert locations(update(api, displayName="Contoso", logoUrl="https://127.1/")) == ["body.logoUrl"]


def test_a_slug_or_keyspace_of_another_portal(api, config):
    PortalConfigFactory(slug="taken", keyspace_id="ks_taken")
    assert_refused(update(api, slug="taken"), 409, TAKEN, "That slug is already in use. Choose a different slug.")
    assert_refused(update(api, keyspaceId="ks_taken"), 409, TAKEN, "That app or keyspace already has a portal.")
    assert PortalConfig.objects.get(pk=config.pk).slug == "my-portal"
    assert PortalConfig.objects.get(pk=config.pk).keyspace_id == config.keyspace_id


def test_portals_that_an_operator_let_share_stay_so(api, config):
    PortalConfigFactory(keyspace_id=config.keyspace_id)
    session = mint(config).row
    assert_answer(update(api, keyspaceId=config.keyspace_id, displayName="Contoso"))
    assert PortalEvent.objects.get(kind="portal.changed").detail["fields"] == ["display_name"]
    assert PortalSession.objects.get(pk=session.pk).revoked_at is None


def test_a_portal_that_is_sent_back_as_it_was_read_keeps_its_sessions(api):
    portal = PortalConfigFactory(slug="my-portal", keyspace_id="")
    session = mint(portal).row
    before = read(api, portal="my-portal")
    assert assert_answer(update(api, keyspaceId=before["keyspaceId"]))["data"] == before
    assert not PortalEvent.objects.filter(kind="portal.changed").exists()
    assert PortalSession.objects.get(pk=session.pk).revoked_at is None


@pytest.mark.parametrize(
    ("change", "reason"), [({"enabled": False}, "portal_disabled"), ({"keyspaceId": "ks_2"}, "keyspace_changed")]
)
def test_what_ends_sessions_ends_them_pending_ones_included(api, config, change, reason):
    token, code = sign_in(config).secret, mint(config).secret
    root_key, secret = issue_root_key(granted=["*"])
    assert_answer(update(api, secret, **change))
    assert_refused(api("getSession", token=token), 401, "unkey/authentication/portal_session_not_found")
    assert_answer(update(api, enabled=True, keyspaceId=config.keyspace_id))
    assert_refused(api("exchangeCode", {"code": code}), 401, "unkey/authentication/portal_session_not_found")
    event = PortalEvent.objects.filter(kind="session.revoked").last()
    assert (event.actor_id, event.detail) == (root_key.public_id, {"reason": reason, "count": 2})


def test_other_changes_end_no_session(api, config):
    token = sign_in(config).secret
    assert_answer(update(api, slug="other-portal", displayName="Contoso", primaryColor="#112233", enabled=True))
    assert_answer(api("getSession", token=token))


@pytest.mark.django_db(transaction=True)
def test_a_portal_that_is_deleted_meanwhile_is_not_found(api, config):
    def delete_elsewhere():
        try:
            PortalConfig.objects.get(pk=config.pk).delete()
        finally:
            connection.close()

    def receiver(**_):
        pre_save.disconnect(receiver, sender=PortalConfig)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(delete_elsewhere).result(60)

    secret = key()
    pre_save.connect(receiver, sender=PortalConfig)
    assert_refused(update(api, secret, displayName="Contoso"), 404, NOT_FOUND)
    assert not PortalEvent.objects.filter(kind="portal.changed").exists()


def test_a_database_that_goes_away_while_a_portal_is_saved(api, config):
    def away(**_):
        raise OperationalError("away")

    pre_save.connect(away, sender=PortalConfig)
    try:
        assert_refused(update(api, displayName="Contoso"), 503, "unkey/application/service_unavailable")
    finally:
        pre_save.disconnect(away, sender=PortalConfig)


# deletePortal ----------------------------------------------------------------------------------------------------------


def test_a_deleted_portal_is_gone_with_its_sessions(api, config):
    token = sign_in(config).secret
    root_key, secret = issue_root_key(granted=["portal.*.delete_portal"])
    assert assert_answer(api("deletePortal", {"portal": "my-portal"}, token=secret))["data"] == {}
    assert_refused(api("deletePortal", {"portal": "my-portal"}, token=secret), 404, NOT_FOUND)
    assert_refused(api("getSession", token=token), 401, "unkey/authentication/portal_session_not_found")
    event = PortalEvent.objects.get(kind="portal.deleted")
    assert (event.actor_id, event.portal_id) == (root_key.public_id, config.public_id)
    assert not PortalSession.objects.exists()


def test_slug_and_keyspace_of_a_deleted_portal_are_free(api, config):
    secret = key()
    assert_answer(api("deletePortal", {"portal": config.public_id}, token=secret))
    body = {"slug": "my-portal", "displayName": "Again", "keyspaceId": config.keyspace_id}
    assert assert_answer(api("createPortal", body, token=secret))["data"]["portalId"] != config.public_id


# Several portals in a row ----------------------------------------------------------------------------------------------


def test_a_portal_that_was_made_by_api_mints(api):
    secret = key()
    assert_answer(api("createPortal", BODY, token=secret))
    body = {"portal": "new-portal", "externalId": "user_123", "scopes": ["keys:read"]}
    code = assert_answer(api("createSession", body, token=secret))["data"]["url"].rpartition("=")[2]
    assert assert_answer(api("exchangeCode", {"code": code}))["data"]["accessToken"].startswith("pat_")


def test_the_time_of_the_last_change(api, config):
    later = clock.now() + timedelta(hours=1)
    with clock.using(lambda: later):
        assert_answer(update(api, displayName="Contoso"))
    assert read(api, portal="my-portal")["updatedAt"] == clock.to_milliseconds(later)
