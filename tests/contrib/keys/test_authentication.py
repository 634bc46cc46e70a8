"""A host's own API behind ApiKeyAuthentication."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from rest_framework.permissions import IsAdminUser

from portal import clock, tokens
from portal.contrib.keys.authentication import HasKeyPermission
from portal.contrib.keys.models import ApiKey
from portal.models import RootKey
from tests.api.test_host_views import bearer, refused
from tests.contrib.keys.making import change, make_key, rotate
from tests.factories import issue_root_key, mint, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.contrib.keys.hosted")]

MISSING = "unkey/authentication/missing"
MALFORMED = "unkey/authentication/malformed"
NOT_FOUND = "unkey/authentication/key_not_found"
FORBIDDEN = "unkey/authorization/forbidden"
DISABLED = "unkey/authorization/key_disabled"
INSUFFICIENT = "unkey/authorization/insufficient_permissions"
TOO_MANY = "user/too_many_requests/workspace_rate_limited"
NOON = datetime(2026, 11, 24, 12, 0, 20, 250_000, tzinfo=UTC)


def get(client, path, secret):
    return client.get(path, **bearer(secret))


def test_a_good_key_is_its_owner(client, django_assert_num_queries):
    key, secret = make_key()
    # After it the last use is written; then not for ten seconds.
    assert get(client, "/maps/", secret).status_code == 200
    with django_assert_num_queries(1):
        answer = client.get("/maps/", headers={"Authorization": f"bearer  {secret} "})
    assert answer.json() == {"user": "user_123", "key": key.public_id, "name": key.name}
    assert client.post("/maps/", {}, content_type="application/json", **bearer(secret)).status_code == 200


def test_without_a_key(client):
    _, secret = make_key()
    answer = client.get("/maps/")
    refused(answer, 401, MISSING)
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'
    client.cookies["portal_session"] = secret
    refused(client.get("/maps/"), 401, MISSING)
    for header in ("", "Bearer", "Bearer  ", secret, f"Basic {secret}", f"Token {secret}"):
        answer = client.get("/maps/", headers={"Authorization": header})
        refused(answer, 401, MALFORMED)
        assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'


def test_what_is_no_good_key_is_not_found(client, config):
    now = clock.now()
    expired = make_key(expires_at=now)[1]
    revoked, revoked_secret = make_key()
    ApiKey.objects.revoke(revoked.public_id)
    rotated, old = make_key()
    rotate(rotated)
    bodies = set()
    for secret in (
        *("x", tokens.mint_api_key("sk"), expired, revoked_secret, old),
        *(issue_root_key().secret, sign_in(config).secret, mint(config).secret),
    ):
        answer = get(client, "/maps/", secret)
        refused(answer, 401, NOT_FOUND)
        assert answer["WWW-Authenticate"] == 'Bearer realm="portal", error="invalid_token"'
        bodies.add(answer.content.decode().replace(answer.json()["meta"]["requestId"], ""))
    assert len(bodies) == 1


def test_grace_ends_to_the_second(client):
    with time_machine.travel(NOON, tick=False) as traveller:
        key, old = make_key()
        new = rotate(key, timedelta(hours=1))
        traveller.shift(3599.999)
        assert get(client, "/maps/", old).status_code == 200
        traveller.shift(0.001)
        refused(get(client, "/maps/", old), 401, NOT_FOUND)
        assert get(client, "/maps/", new).status_code == 200


def test_an_old_secret_that_has_ended_tells_nothing_of_the_key(client, settings):
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"failed": "2/min"}}
    with time_machine.travel(NOON, tick=False):
        key, old = make_key()
        rotate(key)
        for fields in ({"enabled": False}, {"locked": True}):
            change(key, **fields)
            refused(get(client, "/maps/read/", old), 401, NOT_FOUND)
        # Each was a failure of its address.
        refused(get(client, "/maps/read/", old), 429, TOO_MANY)


def test_switched_off_and_locked(client):
    key, secret = make_key()
    change(key, enabled=False)
    answer = get(client, "/maps/", secret)
    refused(answer, 403, DISABLED)
    assert "WWW-Authenticate" not in answer
    change(key, locked=True)
    (finding,) = [get(client, "/maps/", secret)]
    refused(finding, 403, FORBIDDEN)
    assert finding.json()["error"]["detail"] == "The API key used for authentication has been locked"


def test_one_keyspace(client):
    assert get(client, "/maps/keyspace/", make_key()[1]).status_code == 200
    refused(get(client, "/maps/keyspace/", make_key(keyspace_id="ks_2")[1]), 401, NOT_FOUND)


@pytest.mark.parametrize("path", ["/maps/read/", "/maps/late/", "/maps/function/"])
def test_a_permission(client, path):
    assert get(client, path, make_key(permissions=["maps.read"])[1]).status_code == 200
    answer = get(client, path, make_key(permissions=["maps"])[1])
    refused(answer, 403, INSUFFICIENT)
    assert answer.json()["error"]["detail"] == "Missing permission: 'maps.read'"


def test_several_permissions_are_all_needed(client):
    def detail(*permissions):
        answer = get(client, "/maps/write/", make_key(permissions=list(permissions))[1])
        return answer.json()["error"]["detail"] if answer.status_code == 403 else answer.status_code

    assert detail("maps.read", "maps.*") == 200
    assert detail("maps.*") == "Missing permission: 'maps.read'"
    assert detail("maps.read") == "Missing permission: 'maps.write OR maps.*'"


def test_a_view_may_decide_what_each_method_needs(client):
    """Then what permission_classes says is not asked before the view was."""

    def post(secret):
        return client.post("/maps/method/", {}, content_type="application/json", **bearer(secret))

    reader, writer = (make_key(permissions=[one])[1] for one in ("maps.read", "maps.write"))
    assert get(client, "/maps/method/", reader).status_code == 200
    assert post(writer).status_code == 200
    for answer, permission in ((get(client, "/maps/method/", writer), "maps.read"), (post(reader), "maps.write")):
        refused(answer, 403, INSUFFICIENT)
        assert answer.json()["error"]["detail"] == f"Missing permission: '{permission}'"


def test_a_permission_is_a_keys(client, root_key):
    """Not that of another credential, whatever it is called."""
    RootKey.objects.filter(pk=root_key.row.pk).update(permissions=["maps.read"])
    refused(get(client, "/maps/backends/", root_key.secret), 403, INSUFFICIENT)


def test_has_key_permission_refuses_what_is_no_expression():
    with pytest.raises(ValueError, match="At the end"):
        HasKeyPermission("maps.read AND")


@pytest.mark.parametrize(
    "join",
    [
        lambda ours: ours | IsAdminUser,
        lambda ours: IsAdminUser | ours,
        lambda ours: ours & IsAdminUser,
        lambda ours: IsAdminUser & ours,
        lambda ours: ~ours,
    ],
)
def test_has_key_permission_is_not_joined(join):
    """It would refuse for the other one too; so the view is not even made."""
    with pytest.raises(TypeError, match="HasKeyPermission cannot be joined"):
        join(HasKeyPermission("maps.read"))


def test_an_end_user_is_nobodys_staff(client):
    assert get(client, "/maps/staff/", make_key()[1]).status_code == 403


def test_a_views_own_401_carries_our_challenge(client):
    answer = get(client, "/maps/refused/", make_key()[1])
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="portal"')


@pytest.mark.parametrize("path", ["/maps/", "/maps/text/"])
def test_too_many_requests_are_the_contracts_problem(client, path):
    _, secret = make_key(rate_limit=2, rate_limit_seconds=90)
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            answer = get(client, path, secret)
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.startswith(("RateLimit", "Retry"))]
        answer = client.get(path, headers={"Authorization": f"Bearer {secret}", "Accept": "text/html,*/*"})
    refused(answer, 429, TOO_MANY)
    assert answer["Retry-After"] == answer["RateLimit-Reset"] == "70"
    assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == ("2", "0")
    assert "2/90s" in answer.json()["error"]["detail"]


def test_a_refused_permission_costs_no_request(client):
    _, secret = make_key(rate_limit=1, rate_limit_seconds=86400)
    for _ in range(3):
        refused(get(client, "/maps/read/", secret), 403, INSUFFICIENT)
    assert get(client, "/maps/", secret).status_code == 200
    assert get(client, "/maps/", secret).status_code == 429


def test_failures_are_counted_by_address(client, settings):
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"failed": "3/min"}}
    with time_machine.travel(NOON, tick=False):
        good, expired = make_key()[1], make_key(expires_at=NOON)[1]
        disabled = make_key(enabled=False)[1]
        for secret in (expired, tokens.mint_api_key("sk"), "x"):
            assert get(client, "/maps/", secret).status_code == 401
        # What is known is no guess, and nothing presented is no failure.
        assert get(client, "/maps/", disabled).status_code == 403
        assert client.get("/maps/").status_code == 401
        answer = get(client, "/maps/", "x")
        refused(answer, 429, TOO_MANY)
        assert answer["Retry-After"] == "40"
        assert get(client, "/maps/", good).status_code == 200


def test_plain_django(client):
    assert get(client, "/maps/plain/", make_key(permissions=["maps.read"])[1]).json() == {"user": "user_123"}
    for secret, status, code in (
        (make_key()[1], 403, INSUFFICIENT),
        ("x", 401, NOT_FOUND),
        (make_key(permissions=["maps.read"], rate_limit=0)[1], 429, TOO_MANY),
    ):
        answer = get(client, "/maps/plain/", secret)
        assert (answer.status_code, answer.json()) == (status, {"code": code})
        assert ("Retry-After" in answer) is (status == 429)


def test_djangos_cache_of_whole_sites_keeps_no_answer(client, settings):
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    key, secret = make_key()
    assert get(client, "/maps/", secret).status_code == 200
    refused(client.get("/maps/"), 401, MISSING)
    assert get(client, "/maps/", secret).status_code == 200
    change(key, enabled=False)
    refused(get(client, "/maps/", secret), 403, DISABLED)


def test_portal_operations_know_no_keys(client, config):
    """And the other way round: what opens the host's API opens nothing of the portal."""
    _, secret = make_key()
    for operation, code in (
        ("portal.getSession", "unkey/authentication/portal_token_missing"),
        ("portal.createSession", NOT_FOUND),
        ("keys.verifyKey", NOT_FOUND),
    ):
        answer = client.post(f"/v2/{operation}", {}, content_type="application/json", **bearer(secret))
        refused(answer, 401, code)


def test_secrets_are_in_no_log_and_no_answer(client, caplog, settings):
    caplog.set_level(logging.DEBUG)
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"failed": "2/min"}}
    key, secret = make_key(rate_limit=1)
    unknown = tokens.mint_api_key("sk")
    answers = [get(client, path, one) for one in (secret, unknown) for path in ("/maps/", "/maps/", "/maps/read/")]
    change(key, locked=True)
    answers.append(get(client, "/maps/", secret))
    assert {answer.status_code for answer in answers} == {200, 401, 403, 429}
    text = "\n".join(record.getMessage() for record in caplog.records)
    text += "\n".join(str(answer.headers) + answer.content.decode() for answer in answers)
    assert secret not in text
    assert unknown not in text
