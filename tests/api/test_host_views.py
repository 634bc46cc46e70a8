"""A host's own DRF views behind our classes (design section 4)."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from rest_framework.permissions import AllowAny

from portal.api.authentication import HasCapability
from portal.api.users import EndUser, RootKeyUser
from tests.envelopes import assert_refused
from tests.factories import sign_in

pytestmark = pytest.mark.django_db

MISSING = "unkey/authentication/portal_token_missing"
NOT_FOUND = "unkey/authentication/portal_session_not_found"


def refused(response, status, code):
    """A host's view has the host's headers and our body."""
    response["Cache-Control"] = "no-store, private"
    response["X-Request-Id"] = response.json()["meta"]["requestId"]
    return assert_refused(response, status, code)


def bearer(token):
    return {"headers": {"Authorization": f"Bearer {token}"}}


@pytest.mark.parametrize("path", ["/own/drf/", "/own/drf-session-first/", "/own/drf-staff/", "/own/drf-throttled/"])
def test_without_a_session_the_401_is_our_envelope(client, path):
    answer = client.get(path)
    refused(answer, 401, MISSING)
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'
    answer = client.get(path, **bearer("pat_" + "0" * 43))
    refused(answer, 401, NOT_FOUND)
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_each_request_has_an_id_of_its_own(client):
    first, second = client.get("/own/drf/").json(), client.get("/own/drf/").json()
    assert first["meta"]["requestId"] != second["meta"]["requestId"]


def test_is_authenticated_passes_by_header_and_cookie(client, config):
    session, token = sign_in(config)
    expected = {"user": "user_123", "session": session.public_id}
    assert client.get("/own/drf/", **bearer(token)).json() == expected
    client.cookies["portal_session"] = token
    assert client.get("/own/drf/").json() == expected


def test_an_end_user_is_nobodys_staff(client, config):
    answer = client.get("/own/drf-staff/", **bearer(sign_in(config).secret))
    assert answer.status_code == 403


def test_drfs_user_throttle_counts_by_external_id(client, config):
    cache.clear()
    first, other = sign_in(config).secret, sign_in(config, "user_456").secret
    assert client.get("/own/drf-throttled/", **bearer(first)).status_code == 200
    assert client.get("/own/drf-throttled/", **bearer(first)).status_code == 429
    assert client.get("/own/drf-throttled/", **bearer(other)).status_code == 200


def test_beside_django_sessions_either_signs_in(client, config):
    user = get_user_model().objects.create_user("staff")
    client.force_login(user)
    assert client.get("/own/drf-session-first/").json() == {"user": "staff", "session": None}
    client.logout()
    token = sign_in(config).secret
    assert client.get("/own/drf-session-first/", **bearer(token)).json()["user"] == "user_123"


def test_has_capability(client, config):
    assert client.get("/own/drf-capability/", **bearer(sign_in(config).secret)).status_code == 200
    answer = client.get("/own/drf-capability/", **bearer(sign_in(config, granted=["keys:create"]).secret))
    refused(answer, 403, "unkey/authorization/insufficient_permissions")


def test_who_has_no_session_has_no_capability(client, root_key):
    answer = client.get("/own/drf-capability-of-a-backend/", **bearer(root_key.secret))
    refused(answer, 403, "unkey/authorization/insufficient_permissions")


def test_decision_15_a_preview_may_not_write(client, config):
    token = sign_in(config, preview=True).secret
    assert client.get("/own/drf-capability/", **bearer(token)).status_code == 200
    refused(client.get("/own/drf-write/", **bearer(token)), 403, "unkey/authorization/forbidden")
    assert client.get("/own/drf-write/", **bearer(sign_in(config).secret)).status_code == 200


def test_has_capability_refuses_words_that_are_none():
    with pytest.raises(ValueError, match="keys:fly"):
        HasCapability("keys:fly")


@pytest.mark.parametrize(
    "join",
    [lambda ours: ours | AllowAny, lambda ours: AllowAny & ours, lambda ours: ~ours],
)
def test_has_capability_is_not_joined(join):
    """It refuses by raising, so with ``|`` it would refuse for the other too, and with ``~`` everybody."""
    with pytest.raises(TypeError, match="HasCapability cannot be joined"):
        join(HasCapability("keys:read"))


def test_row_15_writes_by_cookie(client, config):
    client.cookies["portal_session"] = sign_in(config).secret
    path = "/own/drf/"
    assert client.post(path, {}, content_type="application/json").status_code == 200
    forbidden = "unkey/authorization/forbidden"
    refused(client.post(path, {"a": "b"}), 403, forbidden)
    refused(client.generic("POST", path), 403, forbidden)
    refused(
        client.post(path, {}, content_type="application/json", headers={"Origin": "https://evil.example"}),
        403,
        forbidden,
    )
    assert client.post(path, {"a": "b"}, headers={"Origin": "http://testserver"}).status_code == 200
    assert client.post(path, {"a": "b"}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_root_keys_guard_views_for_backends(client, config, root_key):
    refused(client.get("/own/drf-root-key/"), 401, "unkey/authentication/missing")
    refused(
        client.get("/own/drf-root-key/", **bearer(sign_in(config).secret)), 401, "unkey/authentication/key_not_found"
    )
    answer = client.get("/own/drf-root-key/", **bearer(root_key.secret))
    assert answer.json() == {"user": root_key.row.public_id, "name": "Backend"}
    root_key.row.disable()
    refused(client.get("/own/drf-root-key/", **bearer(root_key.secret)), 403, "unkey/authorization/key_disabled")


def test_a_views_own_401_carries_our_challenge(client, config, root_key):
    for path, token in (
        ("/own/drf-refusal/", sign_in(config).secret),
        ("/own/drf-root-key-refusal/", root_key.secret),
    ):
        answer = client.get(path, **bearer(token))
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="portal"')


def test_an_end_user_is_shaped_like_djangos_anonymous_user():
    user = EndUser("user_123")
    assert (user.pk, user.id, user.username, user.get_username(), str(user)) == ("user_123",) * 5
    assert user.is_authenticated
    assert user.is_active
    assert not (user.is_anonymous)
    assert not (user.is_staff)
    assert not (user.is_superuser)
    assert not (user.has_perm("app.change"))
    assert not (user.has_perms(["app.change"]))
    assert not (user.has_module_perms("app"))
    assert user.has_perms([])
    assert user == EndUser("user_123")
    assert user != EndUser("user_456")
    assert user != RootKeyUser("user_123")
    assert len({user, EndUser("user_123"), RootKeyUser("user_123")}) == 2
