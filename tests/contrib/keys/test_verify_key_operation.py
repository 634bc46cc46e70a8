"""keys.verifyKey: what a gateway in any language asks, and what Unkey's own client makes of the answers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from unkey.py import Unkey, errors, models

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.recorder import recorder
from portal.models import RootKey
from tests.contrib.keys.making import change, make_key, rotate
from tests.envelopes import assert_answer, assert_refused
from tests.factories import issue_root_key

pytestmark = pytest.mark.django_db

INVALID = "unkey/application/invalid_input"
INSUFFICIENT = "unkey/authorization/insufficient_permissions"
NOON = datetime(2026, 11, 24, 12, 0, 20, 250_000, tzinfo=UTC)


def ask(client, body, token=None):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.post("/v2/keys.verifyKey", body, content_type="application/json", headers=headers)


@pytest.fixture
def verify_key(client):
    """Return ``verify_key(secret, …)``, which returns ``data``."""
    gateway = issue_root_key("Gateway", granted=["api.*.verify_key"]).secret

    def call(key, *, by=gateway, **members):
        return assert_answer(ask(client, {"key": key, **members}, by))["data"]

    return call


def test_a_good_key(verify_key):
    key, secret = make_key()
    identity = {"id": "user_123", "externalId": "user_123"}
    assert verify_key(secret) == {
        "valid": True,
        "code": "VALID",
        "keyId": key.public_id,
        "name": key.name,
        "enabled": True,
        "identity": identity,
    }


def test_everything_that_a_key_can_have(verify_key):
    with time_machine.travel(NOON, tick=False):
        key, secret = make_key(
            expires_at=NOON + timedelta(days=1),
            permissions=["maps.read", "maps.write"],
            metadata={"plan": {"name": "pro"}},
            rate_limit=2,
            rate_limit_seconds=60,
        )
        data = verify_key(secret, permissions="maps.read AND (maps.write OR no)", tags=["path=/maps"])
    limit = {"id": key.public_id, "name": "requests", "limit": 2, "duration": 60_000, "autoApply": True}
    assert data == {
        "valid": True,
        "code": "VALID",
        "keyId": key.public_id,
        "name": key.name,
        "enabled": True,
        "identity": {"id": "user_123", "externalId": "user_123"},
        "expires": clock.to_milliseconds(NOON + timedelta(days=1)),
        "permissions": ["maps.read", "maps.write"],
        "meta": {"plan": {"name": "pro"}},
        "ratelimits": [{**limit, "exceeded": False, "remaining": 1, "reset": 39_750}],
    }


def test_each_outcome_is_an_answer(verify_key):
    key, secret = make_key(permissions=["a"], rate_limit=1, rate_limit_seconds=86400)

    def answer(**members):
        data = verify_key(secret, **members)
        assert data["keyId"] == key.public_id
        return data["valid"], data["code"], data["enabled"], "ratelimits" in data

    assert answer(permissions="b") == (False, "INSUFFICIENT_PERMISSIONS", True, False)
    assert answer(permissions="a") == (True, "VALID", True, True)
    assert answer() == (False, "RATE_LIMITED", True, True)
    assert verify_key(secret)["ratelimits"][0]["exceeded"] is True
    change(key, expires_at=clock.now())
    assert answer() == (False, "EXPIRED", True, False)
    change(key, enabled=False)
    assert answer() == (False, "DISABLED", False, False)
    change(key, locked=True)
    assert answer() == (False, "FORBIDDEN", False, False)
    change(key, locked=False)
    ApiKey.objects.revoke(key.public_id)
    assert verify_key(secret) == {"valid": False, "code": "NOT_FOUND"}


def test_an_old_secret_says_when_it_ends(verify_key):
    key, old = make_key()
    new = rotate(key, timedelta(hours=1))
    ends = clock.to_milliseconds(ApiKey.objects.get(pk=key.pk).rotated_at + timedelta(hours=1))
    assert verify_key(old)["expires"] == ends
    assert "expires" not in verify_key(new)


def test_an_old_secret_that_has_ended_tells_nothing_of_the_key(verify_key):
    key, old = make_key(name="Deploy", permissions=["a"], metadata={"plan": "pro"})
    rotate(key)
    for fields in ({}, {"enabled": False}, {"locked": True}):
        change(key, name="Deploy", **fields)
        assert verify_key(old) == {"valid": False, "code": "EXPIRED"}


def test_who_may_ask_about_which_keys(verify_key, client):
    here, there = make_key()[1], make_key(keyspace_id="ks_2")[1]

    def seen(*granted):
        by = issue_root_key(granted=list(granted)).secret
        return [verify_key(secret, by=by)["code"] for secret in (here, there)]

    assert seen("*") == seen("api.*.verify_key") == ["VALID", "VALID"]
    assert seen("api.ks_1.verify_key", "keys:read") == ["VALID", "NOT_FOUND"]
    assert seen("api.ks_1.verify_key", "api.ks_2.verify_key") == ["VALID", "VALID"]
    assert seen("api.ks_3.verify_key") == ["NOT_FOUND", "NOT_FOUND"]


def test_a_key_elsewhere_is_as_unknown_as_none(verify_key):
    """And costs as little: the rate limit of somebody else's key is not for this root key to use up."""
    _, secret = make_key(keyspace_id="ks_2", rate_limit=1, rate_limit_seconds=86400)
    by = issue_root_key(granted=["api.ks_1.verify_key"]).secret
    unknown = verify_key(tokens.mint_api_key("sk"), by=by)
    assert verify_key(secret, by=by) == verify_key(secret, by=by) == unknown == {"valid": False, "code": "NOT_FOUND"}
    assert verify_key(secret)["code"] == "VALID"


@pytest.mark.parametrize("granted", [["keys:read"], ["portal.*.create_portal_session"], ["api.ks_1.read_key"]])
def test_a_root_key_that_may_verify_nothing(client, granted):
    _, secret = make_key()
    answer = ask(client, {"key": secret}, issue_root_key(granted=granted).secret)
    assert_refused(answer, 403, INSUFFICIENT, "Missing permission: 'api.*.verify_key'")


def test_only_root_keys_may_ask(client):
    _, secret = make_key()
    assert_refused(ask(client, {"key": secret}), 401, "unkey/authentication/missing")
    assert_refused(ask(client, {"key": secret}, secret), 401, "unkey/authentication/key_not_found")
    disabled = issue_root_key(granted=["*"])
    disabled.row.disable()
    assert_refused(ask(client, {"key": secret}, disabled.secret), 403, "unkey/authorization/key_disabled")
    answer = client.get("/v2/keys.verifyKey")
    assert_refused(answer, 405, "portal/request/method_not_allowed")
    assert answer["Allow"] == "POST"
    assert_refused(
        client.post("/v2/keys.verifyKey/", {}, content_type="application/json"),
        404,
        "portal/request/unknown_operation",
    )


def test_no_page_of_another_origin_may_ask(client, config):
    config.allowed_origins = ["https://app.example.com"]
    config.save()
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v2/keys.verifyKey", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("members", "location"),
    [
        ({"key": None}, "body.key"),
        ({"key": ""}, "body.key"),
        ({"key": "x" * 513}, "body.key"),
        ({"key": 1}, "body.key"),
        ({"permissions": ""}, "body.permissions"),
        ({"permissions": ["a"]}, "body.permissions"),
        ({"permissions": "a AND"}, "body.permissions"),
        ({"permissions": "a" * 1001}, "body.permissions"),
        ({"tags": "a"}, "body.tags"),
        ({"tags": ["a"] * 21}, "body.tags"),
        ({"tags": ["a", ""]}, "body.tags[1]"),
        ({"tags": ["x" * 513]}, "body.tags[0]"),
        ({"credits": {"cost": 1}}, "body.credits"),
        ({"ratelimits": [{"name": "x"}]}, "body.ratelimits"),
        ({"migrationId": "x"}, "body.migrationId"),
        ({"apiId": "x"}, "body.apiId"),
    ],
)
def test_what_it_does_not_take(client, root_key, members, location):
    answer = ask(client, {"key": "x", **members}, root_key.secret)
    findings = assert_refused(answer, 400, INVALID)
    assert [finding["location"] for finding in findings] == [location]


def test_it_says_what_is_wrong_with_an_expression(client, root_key):
    (finding,) = assert_refused(ask(client, {"key": "x", "permissions": "a b"}, root_key.secret), 400, INVALID)
    assert finding["message"] == "At character 3 there must be AND, OR or the end."


def test_the_bounds_are_inside(verify_key):
    assert verify_key("x" * 512, tags=["t" * 512] * 20, permissions="a" * 1000)["code"] == "NOT_FOUND"
    assert verify_key("x", tags=[])["code"] == "NOT_FOUND"


def test_two_queries_and_no_write(client, django_assert_num_queries):
    _, secret = make_key(permissions=["a"], rate_limit=100)
    by = issue_root_key(granted=["*"]).secret
    # After it, uses are written; then not for ten seconds.
    ask(client, {"key": secret}, by)
    with django_assert_num_queries(2) as queries:
        assert_answer(ask(client, {"key": secret, "permissions": "a"}, by))
    assert {query["sql"].partition(" ")[0] for query in queries} == {"SELECT"}
    with django_assert_num_queries(1):
        assert_answer(ask(client, {"key": secret[:-1] + ("a" if secret[-1] != "a" else "b")}, by))


def test_the_use_of_the_root_key_is_noted_too(verify_key, monkeypatch):
    with time_machine.travel(NOON, tick=False) as traveller:
        verify_key("x")
        recorder.flush()
        gateway = RootKey.objects.get(name="Gateway")
        assert gateway.last_used_at == NOON.replace(microsecond=250_000)
        noted = []
        monkeypatch.setattr(recorder, "note_used", lambda *arguments: noted.append(arguments))
        traveller.shift(299)
        verify_key("x")
        assert noted == []
        traveller.shift(2)
        verify_key("x")
        assert noted == [(RootKey, gateway.pk, clock.now())]


def test_tags_reach_the_recorder(verify_key, monkeypatch):
    told = []
    monkeypatch.setattr(recorder, "record", told.append)
    verify_key(make_key()[1], tags=["path=/maps", "region=eu"])
    assert [use.tags for use in told] == [("path=/maps", "region=eu")]


def test_secrets_are_in_no_log_and_no_answer(client, caplog):
    caplog.set_level(logging.DEBUG)
    _, secret = make_key()
    foreign = "legacy-" + "s" * 30
    by = issue_root_key(granted=["*"]).secret
    answers = [ask(client, {"key": one, **more}, by) for one in (secret, foreign) for more in ({}, {"credits": 1})]
    answers.append(ask(client, {"key": secret}, secret))
    assert {answer.status_code for answer in answers} == {200, 400, 401}
    text = "\n".join(record.getMessage() for record in caplog.records)
    text += "".join(str(answer.headers) + answer.content.decode() for answer in answers)
    for one in (secret, foreign, by):
        assert one not in text


# ---- Unkey's own client, unkey-py 3.0.3 as it is installed


@pytest.fixture
def sdk(live_server, settings):
    """Return ``sdk(root_key)``, a client that does not retry: a failing test should fail at once."""
    settings.PORTAL = {"BASE_URL": live_server.url}
    opened = []

    def client(root_key):
        opened.append(Unkey(root_key=root_key, server_url=live_server.url, retry_config=None))
        return opened[-1].__enter__()

    yield client
    for one in opened:
        one.__exit__(None, None, None)


@pytest.mark.django_db(transaction=True)
def test_unkeys_client_verifies(sdk):
    gateway = sdk(issue_root_key(granted=["api.*.verify_key"]).secret)
    key, secret = make_key(permissions=["maps.read"], metadata={"plan": "pro"}, rate_limit=1, rate_limit_seconds=86400)

    answer = gateway.keys.verify_key(key=secret, permissions="maps.read OR maps.*", tags=["path=/maps"])

    assert answer.meta.request_id.startswith("req_")
    data = answer.data
    assert (data.valid, data.code, data.key_id, data.name) == (True, models.Code.VALID, key.public_id, key.name)
    assert (data.enabled, data.permissions, data.meta) == (True, ["maps.read"], {"plan": "pro"})
    assert data.identity.external_id == "user_123"
    assert (data.expires, data.credits, data.roles) == (None, None, None)
    (limit,) = data.ratelimits
    assert (limit.exceeded, limit.limit, limit.remaining, limit.duration, limit.auto_apply) == (
        *(False, 1, 0, 86_400_000, True),
    )
    assert 0 < limit.reset <= limit.duration

    assert gateway.keys.verify_key(key=secret).data.code is models.Code.RATE_LIMITED
    unknown = gateway.keys.verify_key(key=tokens.mint_api_key("sk")).data
    assert (unknown.valid, unknown.code, unknown.key_id) == (False, models.Code.NOT_FOUND, None)
    lacking = gateway.keys.verify_key(key=make_key()[1], permissions="maps.read").data
    assert lacking.code is models.Code.INSUFFICIENT_PERMISSIONS
    for fields, code in (
        ({"locked": True}, models.Code.FORBIDDEN),
        ({"enabled": False}, models.Code.DISABLED),
        ({"expires_at": clock.now()}, models.Code.EXPIRED),
    ):
        assert gateway.keys.verify_key(key=make_key(**fields)[1]).data.code is code


@pytest.mark.django_db(transaction=True)
def test_unkeys_client_is_refused(sdk):
    gateway = sdk(issue_root_key(granted=["api.*.verify_key"]).secret)
    with pytest.raises(errors.BadRequestErrorResponse) as bad:
        gateway.keys.verify_key(key="x", permissions="a AND")
    assert [finding.location for finding in bad.value.data.error.errors] == ["body.permissions"]
    with pytest.raises(errors.BadRequestErrorResponse) as unknown:
        gateway.keys.verify_key(key="x", credits={"cost": 1})
    assert [finding.location for finding in unknown.value.data.error.errors] == ["body.credits"]
    with pytest.raises(errors.ForbiddenErrorResponse):
        sdk(issue_root_key(granted=["keys:read"]).secret).keys.verify_key(key="x")
    with pytest.raises(errors.UnauthorizedErrorResponse):
        sdk("prk_" + "0" * 43).keys.verify_key(key="x")
