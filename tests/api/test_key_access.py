"""Who may do what with keys: capabilities, previews, origins, and whose keys they are (security rows 15, 21, 22, 24)."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from portal import tokens
from portal.models import PortalConfig, PortalEvent, PortalSession
from tests.envelopes import assert_answer, assert_refused
from tests.factories import ALL, PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db

MISSING = "unkey/authentication/portal_token_missing"
ENDED = "unkey/authentication/portal_session_not_found"
LACKING = "unkey/authorization/insufficient_permissions"
FORBIDDEN = "unkey/authorization/forbidden"
NOT_FOUND = "unkey/data/key_not_found"
NEEDS = {
    "listKeys": "keys:read",
    "createKey": "keys:create",
    "rerollKey": "keys:reroll",
    "updateKey": "keys:update",
    "deleteKey": "keys:delete",
}
ON_A_KEY = ("rerollKey", "updateKey", "deleteKey")
BODIES = {
    "listKeys": {},
    "createKey": {"name": "Desk"},
    "rerollKey": {"expiration": 0},
    "updateKey": {"name": "Desk"},
    "deleteKey": {},
}


@pytest.fixture
def key(api, store, token):
    """Return the key of user_123 as createKey answers it."""
    return assert_answer(api("createKey", {"name": "Laptop"}, token=token))["data"]


@pytest.fixture
def call(api, key):
    """Return ``call(operation, token)``, which calls an operation with a good body, about that key."""

    def call(operation, token=None, key_id=key["keyId"], **headers):
        body = {**BODIES[operation], **({"keyId": key_id} if operation in ON_A_KEY else {})}
        return api(operation, body, token=token, **headers)

    return call


@pytest.fixture
def unchanged(store, key, token, api):
    """Assert after the test that the key is as it was, and alone."""
    before = assert_answer(api("listKeys", token=token))["data"]
    events = PortalEvent.objects.filter(kind__startswith="key.").count()
    yield
    assert assert_answer(api("listKeys", token=token))["data"] == before
    assert store.accepts(key["key"])
    assert PortalEvent.objects.filter(kind__startswith="key.").count() == events


# Capabilities ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", NEEDS)
def test_each_operation_needs_its_capability_and_no_other_will_do(call, config, operation):
    others = [capability for capability in ALL if capability != NEEDS[operation]]
    answer = call(operation, sign_in(config, granted=others).secret)
    assert_refused(answer, 403, LACKING, f"Missing permission: '{NEEDS[operation]}'")


@pytest.mark.parametrize("operation", NEEDS)
def test_a_capability_is_enough_for_its_operation(call, config, operation):
    assert_answer(call(operation, sign_in(config, granted=[NEEDS[operation]]).secret))


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ("api.*.read_key", {"listKeys"}),
        ("api.*.create_key", {"createKey", "rerollKey"}),
        ("api.ks_1.update_key", {"updateKey"}),
        ("api.ks_1.delete_key", {"deleteKey"}),
        ("api.*.read_analytics", set()),
        ("api.ks_2.read_key", set()),
        ("api.*.*", set()),
    ],
)
def test_decision_12_tuples_mean_capabilities(call, config, granted, allowed):
    token = sign_in(config, granted=[granted]).secret
    assert {operation for operation in NEEDS if call(operation, token).status_code == 200} == allowed


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", NEEDS)
def test_decision_15_a_preview_looks_and_changes_nothing(call, config, operation):
    answer = call(operation, sign_in(config, preview=True).secret)
    if operation == "listKeys":
        assert [key["name"] for key in assert_answer(answer)["data"]] == ["Laptop"]
    else:
        assert_refused(answer, 403, FORBIDDEN)
        assert "preview" in answer.json()["error"]["detail"]


@pytest.mark.parametrize("operation", NEEDS)
def test_the_body_is_judged_before_the_permission(api, config, store, operation):
    token = sign_in(config, granted=["a.b.c"]).secret
    assert_refused(api(operation, {"owner": "x"}, token=token), 400, "unkey/application/invalid_input")


# Credentials and origins -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", NEEDS)
def test_without_a_token(call, operation):
    assert_refused(call(operation), 401, MISSING)
    assert_refused(call(operation, "pat_" + "0" * 43), 401, ENDED)


@pytest.mark.parametrize("operation", [*NEEDS, "getSession", "endSession"])
def test_row_22_an_api_key_is_a_missing_token(api, key, operation):
    body = {**BODIES.get(operation, {}), **({"keyId": key["keyId"]} if operation in ON_A_KEY else {})}
    answer = api(operation, body, token=key["key"])
    assert_refused(answer, 401, MISSING)
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_row_22_an_api_key_is_known_by_its_form_alone(api, client, db, django_assert_num_queries):
    made = tokens.mint_api_key("acme")
    with django_assert_num_queries(0):
        assert_refused(api("listKeys", token=made), 401, MISSING)
        client.cookies["portal_session"] = made
        assert_refused(api("listKeys"), 401, MISSING)
    # With a typo its sum is wrong, and it is any other token.
    typo = made[:-1] + ("0" if made[-1] != "0" else "1")
    assert_refused(api("listKeys", token=typo), 401, ENDED)


def test_an_api_key_in_a_tokens_place_does_not_count_as_a_guess(api, db, settings):
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"failed": "1/min"}}
    for _ in range(3):
        assert_refused(api("listKeys", token=tokens.mint_api_key("acme")), 401, MISSING)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", NEEDS)
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_row_15_a_call_by_cookie_from_elsewhere_is_refused(call, client, token, operation, headers):
    client.cookies["portal_session"] = token
    assert_refused(call(operation, **headers), 403, FORBIDDEN)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", NEEDS)
def test_row_15_a_form_by_cookie_is_refused(client, token, key, operation):
    client.cookies["portal_session"] = token
    assert_refused(client.post(f"/v2/portal.{operation}", {"keyId": key["keyId"]}), 403, FORBIDDEN)


@pytest.mark.parametrize("operation", NEEDS)
def test_row_41_a_listed_origin_may_call_with_an_idempotency_key(call, client, token, config, operation):
    shop = "https://shop.example.com"
    PortalConfig.objects.filter(pk=config.pk).update(allowed_origins=[shop])
    asked = {"Origin": shop, "Access-Control-Request-Method": "POST"}
    preflight = client.options(f"/v2/portal.{operation}", headers=asked)
    assert preflight.status_code == 204
    assert "Idempotency-Key" in preflight["Access-Control-Allow-Headers"].split(", ")
    client.cookies["portal_session"] = token
    answer = call(operation, **{"Origin": shop, "Idempotency-Key": "once"})
    assert_answer(answer)
    assert answer["Access-Control-Allow-Origin"] == shop
    assert answer["Access-Control-Allow-Credentials"] == "true"


# Whose keys ------------------------------------------------------------------------------------------------------------


def but_for_its_id(answer):
    """Return an answer without its request id, byte for byte."""
    request_id = answer.json()["meta"]["requestId"].encode()
    assert answer.content.count(request_id) == 1
    headers = {name: value for name, value in answer.items() if name != "X-Request-Id"}
    return answer.status_code, headers, answer.content.replace(request_id, b"")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", ON_A_KEY)
def test_row_24_a_foreign_key_and_an_unknown_key_are_the_same_404(call, config, key, operation):
    token = sign_in(config, "user_456").secret
    foreign, unknown = call(operation, token), call(operation, token, "key_" + "0" * 22)
    assert_refused(foreign, 404, NOT_FOUND, "The specified key was not found.")
    assert but_for_its_id(foreign) == but_for_its_id(unknown)
    assert key["keyId"].encode() not in foreign.content


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("operation", ON_A_KEY)
@pytest.mark.parametrize("keyspace", ["ks_2", ""])
def test_row_24_the_same_user_at_another_portal_is_somebody_else(call, operation, keyspace):
    token = sign_in(PortalConfigFactory(keyspace_id=keyspace)).secret
    assert_refused(call(operation, token), 404, NOT_FOUND)
    assert assert_answer(call("listKeys", token))["data"] == []


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("external_id", ["USER_123", "user_123 ", "user_12", "user_123\x0b"])
def test_row_24_an_external_id_matches_exactly(call, config, external_id):
    token = sign_in(config, external_id).secret
    assert_refused(call("deleteKey", token), 404, NOT_FOUND)
    assert assert_answer(call("listKeys", token))["data"] == []


def test_portals_of_one_keyspace_share_its_keys(call):
    token = sign_in(PortalConfigFactory(keyspace_id="ks_1")).secret
    assert [key["name"] for key in assert_answer(call("listKeys", token))["data"]] == ["Laptop"]


def test_another_users_cursor_opens_no_door(api, store, config, token, key):
    PortalConfig.objects.update(key_limit=None)
    other = sign_in(config, "user_456").secret
    for name in ("One", "Two"):
        assert_answer(api("createKey", {"name": name}, token=other))
    cursor = assert_answer(api("listKeys", {"limit": 1}, token=other))["pagination"]["cursor"]
    listed = assert_answer(api("listKeys", {"cursor": cursor}, token=token))["data"]
    assert {item["keyId"] for item in listed} <= {key["keyId"]}


@pytest.mark.parametrize("how", ["re-pointed", "disabled", "deleted"])
def test_row_24_a_portal_that_changes_between_the_two_lookups(api, config, token, key, how):
    """The session is found, then the portal changes, then its policy is read."""
    change = {"re-pointed": {"keyspace_id": "ks_2"}, "disabled": {"enabled": False}}.get(how)
    table = connection.ops.quote_name(PortalConfig._meta.db_table)
    done = []

    def meanwhile(execute, sql, params, many, context):
        if not done and sql.startswith("SELECT") and f"FROM {table}" in sql:
            done.append(sql)
            if change:
                PortalConfig.objects.filter(pk=config.pk).update(**change)
            else:
                config.delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        answer = api("listKeys", token=token)
    assert done
    assert_refused(answer, 401, ENDED)
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_the_portal_is_read_where_sessions_are(api, store, config, token, settings):
    settings.DATABASE_ROUTERS = ["tests.hosts.replicas.ReadsElsewhere"]
    assert_answer(api("listKeys", token=token))


def test_a_session_that_ended_has_no_keys(call, token):
    PortalSession.objects.get(revoked_at=None).revoke()
    for operation in NEEDS:
        assert_refused(call(operation, token), 401, ENDED)


@pytest.mark.parametrize("store_setting", [None, {"BACKEND": "portal.keystore.none.NoKeyStore"}])
def test_without_a_key_store_there_are_no_keys(api, token, settings, store_setting):
    if store_setting is None:
        settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "portal.contrib.keys"]
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": store_setting}
    assert assert_answer(api("listKeys", token=token))["data"] == []
    assert_refused(api("createKey", {"name": "Desk"}, token=token), 403, FORBIDDEN)
    for operation in ON_A_KEY:
        assert_refused(api(operation, {"keyId": "key_1", **BODIES[operation]}, token=token), 403, FORBIDDEN)
    assert json.loads(api("listKeys", token=token).content)["pagination"] == {"hasMore": False}
