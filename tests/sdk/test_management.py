"""Managing portals and their sessions with the clients of the fourth generation (wire contract section 6)."""

from __future__ import annotations

from typing import Any

import pytest

from portal import clock
from portal.models import PortalConfig, PortalSession
from tests.factories import ALL, PortalConfigFactory, issue_root_key, mint, sign_in

from .clients import clients, with_management
from .conftest import Sdk
from .outcomes import INVALID

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"slug": "other", "displayName": "Other", "keyspaceId": "ks_2"}


@pytest.fixture
def key(config: PortalConfig) -> str:
    """Return a root key that may do everything."""
    return issue_root_key(granted=["*"]).secret


def portal(config: PortalConfig, **changes: Any) -> dict[str, Any]:
    """Return what the client reads of a portal."""
    item = {
        "id": config.public_id,
        "slug": config.slug,
        "displayName": config.display_name,
        "enabled": config.enabled,
        "keyspaceId": config.keyspace_id,
        "createdAt": clock.to_milliseconds(config.created_at),
    }
    return {**item, **changes}


@clients(with_management)
def test_create_portal(sdk: Sdk, key: str) -> None:
    data = sdk("createPortal", NEW, key=key).data
    row = PortalConfig.objects.get(slug="other")
    assert data == {"portalId": row.public_id}
    assert (row.display_name, row.keyspace_id, row.enabled) == ("Other", "ks_2", True)


@clients(with_management)
def test_create_portal_with_everything(sdk: Sdk, key: str) -> None:
    branding = {"logoUrl": "https://cdn.example.com/logo.svg", "primaryColor": "#0a7f5a"}
    assert sdk("createPortal", {**NEW, **branding, "enabled": False}, key=key).data
    row = PortalConfig.objects.get(slug="other")
    assert (row.enabled, row.logo_url, row.primary_color) == (False, *branding.values())
    assert sdk("getPortal", {"portal": "other"}, key=key).data == portal(row, branding=branding)


@clients(with_management)
def test_get_portal(sdk: Sdk, key: str, config: PortalConfig) -> None:
    for named in ({"portal": "my-portal"}, {"portal": config.public_id}, {"keyspaceId": "ks_1"}):
        assert sdk("getPortal", named, key=key).data == portal(config)


@clients(with_management)
def test_update_portal(sdk: Sdk, key: str, config: PortalConfig) -> None:
    branding = {"logoUrl": "https://cdn.example.com/logo.svg", "primaryColor": "#0a7f5a"}
    changes = {"slug": "new-name", "displayName": "New", **branding}
    data = sdk("updatePortal", {"portal": "my-portal", **changes}, key=key).data
    row = PortalConfig.objects.get()
    updated = {"updatedAt": clock.to_milliseconds(row.updated_at)}
    expected = {"slug": "new-name", "displayName": "New", "branding": branding, **updated}
    assert data == portal(config, **expected)

    # A null takes them away; to say nothing of them leaves them.
    data = sdk("updatePortal", {"portal": "new-name", "logoUrl": None}, key=key).data
    assert data["branding"] == {"primaryColor": "#0a7f5a"}
    assert "branding" not in sdk("updatePortal", {"portal": "new-name", "primaryColor": None}, key=key).data


@clients(with_management)
@pytest.mark.parametrize("change", [{"enabled": False}, {"keyspaceId": "ks_2"}])
def test_update_portal_ends_sessions(sdk: Sdk, key: str, config: PortalConfig, change: dict[str, Any]) -> None:
    mint(config)
    sign_in(config)
    assert sdk("updatePortal", {"portal": "my-portal", **change}, key=key).data
    assert not PortalSession.objects.live().exists()


@clients(with_management)
def test_delete_portal(sdk: Sdk, key: str, config: PortalConfig) -> None:
    sign_in(config)
    assert sdk("deletePortal", {"portal": "my-portal"}, key=key).data == {}
    assert not PortalConfig.objects.exists()
    outcome = sdk("deletePortal", {"portal": "my-portal"}, key=key)
    outcome.assert_error("NotFoundErrorResponse", 404, "unkey/data/portal_not_found", "Portal not found.")


@clients(with_management)
def test_list_sessions(sdk: Sdk, key: str, config: PortalConfig) -> None:
    pending, active = mint(config, "amy", ["keys:read"]).row, sign_in(config, "bob").row
    sign_in(config, "eve").row.revoke()

    outcome = sdk("listSessions", {"portal": "my-portal"}, key=key)

    assert outcome.data == [
        {
            "externalId": "amy",
            "sessions": [
                {
                    "id": pending.public_id,
                    "status": "pending",
                    "createdAt": clock.to_milliseconds(pending.created_at),
                    "expiresAt": clock.to_milliseconds(pending.code_expires_at),
                    "scopes": ["keys:read"],
                }
            ],
        },
        {
            "externalId": "bob",
            "sessions": [
                {
                    "id": active.public_id,
                    "status": "active",
                    "createdAt": clock.to_milliseconds(active.created_at),
                    "expiresAt": clock.to_milliseconds(active.expires_at),
                    "scopes": [*ALL],
                }
            ],
        },
    ]
    assert outcome.result["pagination"]["hasMore"] is False


@clients(with_management)
def test_list_sessions_page_by_page(sdk: Sdk, key: str, config: PortalConfig) -> None:
    for external_id in ("amy", "ben", "bob", "Bob", "b%b"):
        mint(config, external_id)
    # This client follows no cursors by itself.
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        outcome = sdk("listSessions", {"portal": "my-portal", "limit": 2, **cursor}, key=key)
        seen += [user["externalId"] for user in outcome.data]
        assert len(outcome.data) <= 2
        if not outcome.result["pagination"]["hasMore"]:
            break
        cursor = {"cursor": outcome.result["pagination"]["cursor"]}
    assert sorted(seen) == ["Bob", "amy", "b%b", "ben", "bob"]

    found = sdk("listSessions", {"portal": "my-portal", "search": "b%"}, key=key).data
    assert [user["externalId"] for user in found] == ["b%b"]


@clients(with_management)
def test_revoke_session(sdk: Sdk, key: str, config: PortalConfig) -> None:
    mint(config)
    sign_in(config)
    other = sign_in(config, "user_456").row
    request = {"portal": "my-portal", "externalId": "user_123"}
    answers = [sdk("revokeSession", request, key=key).data for _ in range(2)]
    assert answers == [{"sessionsRevoked": 2}, {"sessionsRevoked": 0}]
    assert PortalSession.objects.live().get() == other


@clients(with_management)
def test_400_names_the_member(sdk: Sdk, key: str) -> None:
    apps = {name: value for name, value in NEW.items() if name != "keyspaceId"} | {"appId": "app_1"}
    for operation, request, location in (
        ("createPortal", {**NEW, "slug": "my--portal"}, "body.slug"),
        ("createPortal", {**NEW, "displayName": " Other "}, "body.displayName"),
        ("createPortal", {**NEW, "logoUrl": "http://cdn.example.com/logo.svg"}, "body.logoUrl"),
        ("createPortal", {**NEW, "primaryColor": "red"}, "body.primaryColor"),
        ("updatePortal", {"portal": "my-portal", "primaryColor": "red"}, "body.primaryColor"),
        ("updatePortal", {"portal": "my-portal"}, "body"),
        ("listSessions", {"portal": "my-portal", "cursor": "x"}, "body.cursor"),
    ):
        outcome = sdk(operation, request, key=key)
        assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID) == [location], request
    # There are no apps here.
    locations = sdk("createPortal", apps, key=key).assert_error("BadRequestErrorResponse", 400, INVALID)
    assert "body.appId" in locations


@clients(with_management)
def test_403(sdk: Sdk, config: PortalConfig) -> None:
    # To make a portal is to act on all of them.
    weak = issue_root_key(granted=[f"portal.{config.public_id}.create_portal"]).secret
    code, detail = "unkey/authorization/insufficient_permissions", "Missing permission: 'portal.*.create_portal'"
    sdk("createPortal", NEW, key=weak).assert_error("ForbiddenErrorResponse", 403, code, detail)


@clients(with_management)
def test_404(sdk: Sdk, key: str, config: PortalConfig) -> None:
    """A portal that the key may do nothing with is as unknown as one that does not exist."""
    weak = issue_root_key(granted=["portal.*.create_portal", "keys:read"]).secret
    for operation, more in (
        ("getPortal", {}),
        ("updatePortal", {"displayName": "New"}),
        ("deletePortal", {}),
        ("listSessions", {}),
        ("revokeSession", {"externalId": "user_123"}),
    ):
        for credential, name in ((key, "other"), (weak, "my-portal"), (weak, config.public_id)):
            outcome = sdk(operation, {"portal": name, **more}, key=credential)
            code, detail = "unkey/data/portal_not_found", "Portal not found."
            outcome.assert_error("NotFoundErrorResponse", 404, code, detail)
            assert name not in outcome.exchanges[0]["body"]


@clients(with_management)
def test_409(sdk: Sdk, key: str) -> None:
    PortalConfigFactory(slug="third", keyspace_id="ks_3")
    slug = "That slug is already in use. Choose a different slug."
    keyspace = "That app or keyspace already has a portal."
    update = {"portal": "third"}
    for operation, request, detail in (
        ("createPortal", {**NEW, "slug": "my-portal"}, slug),
        ("createPortal", {**NEW, "keyspaceId": "ks_1"}, keyspace),
        ("updatePortal", {**update, "slug": "my-portal"}, slug),
        ("updatePortal", {**update, "keyspaceId": "ks_1"}, keyspace),
    ):
        outcome = sdk(operation, request, key=key)
        outcome.assert_error("ConflictErrorResponse", 409, "unkey/data/portal_already_exists", detail)
        assert outcome.error is not None
        assert outcome.error["error"]["title"] == "Conflicting Resource"
