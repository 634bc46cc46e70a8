"""The reference of the HTTP API says what the code does: operations, callers, members, answers, errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import resolve
from rest_framework import serializers

from portal import clock
from portal.api.authentication import PortalSessionAuthentication, RootKeyAuthentication
from portal.api.fields import BooleanField, IntegerField, ObjectField, StringField
from portal.api.serializers.sessions import ScopedSessionSerializer, SlugSessionSerializer
from portal.api.urls import urlpatterns
from portal.contrib.keys.models import ApiKey
from portal.destinations import needs
from portal.errors import CATALOGUE
from portal.keystore.actions import MAX_NAME
from portal.models import PortalConfig
from portal.permissions import CAPABILITIES
from tests.docs.follower import Follower
from tests.docs.markdown import code_spans, sections, table
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in
from tests.provocations import key_store

PAGE = "reference/http-api.md"
SECTIONS = sections(PAGE)
OPERATIONS = [name for name in SECTIONS if name.startswith(("portal.", "keys."))]
NOW = clock.to_milliseconds(clock.now())
#: What the bodies about keys have beside a keyId.
ON_KEYS: dict[str, dict[str, Any]] = {
    "portal.createKey": {"name": "Phone"},
    "portal.rerollKey": {"expiration": 0},
    "portal.updateKey": {"name": "Phone"},
    "portal.deleteKey": {},
    "portal.getVerifications": {"startTime": NOW, "endTime": NOW + 1},
}
#: The bodies of managing portals, and the permission that each needs.
ON_PORTALS: dict[str, tuple[dict[str, Any], str]] = {
    "portal.createPortal": ({"slug": "new-portal", "displayName": "New", "keyspaceId": "ks_new"}, "create_portal"),
    "portal.updatePortal": ({"portal": "my-portal", "displayName": "New"}, "update_portal"),
    "portal.getPortal": ({"portal": "my-portal"}, "read_portal"),
    "portal.listSessions": ({"portal": "my-portal"}, "create_portal_session"),
    "portal.revokeSession": ({"portal": "my-portal", "externalId": "user_123"}, "create_portal_session"),
    "portal.deletePortal": ({"portal": "my-portal"}, "delete_portal"),
}
CALLERS = {RootKeyAuthentication: "with a root key", PortalSessionAuthentication: "with its access token"}


def view_of(operation: str) -> Any:
    return resolve(f"/v2/{operation}").func.cls


def documented_members(operation: str) -> list[list[str]]:
    return [row[:3] for row in table(SECTIONS[operation]) if len(row) == 4]


def documented_errors(heading: str) -> dict[str, int]:
    """Return the status of each error in the tables below a heading."""
    return {code_spans(row[1])[0]: int(row[0]) for row in table(SECTIONS[heading]) if row[0].isdigit()}


def test_the_examples_answer_what_the_page_shows(follower: Follower) -> None:
    follower.run("python manage.py runserver")
    follower.follow(PAGE)
    assert follower.left == []


def test_it_has_every_operation_and_says_who_calls_it() -> None:
    routes = [str(url.pattern) for url in urlpatterns]
    assert {route.removeprefix("v2/") for route in routes if route.startswith("v2/")} == set(OPERATIONS)
    rows = table(SECTIONS["HTTP API"])
    assert {code_spans(row[0])[0] for row in rows} == set(OPERATIONS)
    for link, caller in rows:
        classes = view_of(code_spans(link)[0]).authentication_classes
        assert caller.endswith(CALLERS[classes[0]] if classes else "with the code of createSession")


def described(field: serializers.Field[Any, Any, Any, Any]) -> tuple[str, str]:
    """Return how the page writes the type of a member, and whether it is required."""
    if field.field_name == "name":
        # Judged by the portal's policy; the field has the bounds of what no store could take.
        kind = f"text, 1 to {MAX_NAME} characters"
    elif isinstance(field, StringField):
        kind = f"text, {field.min_length} to {field.max_length} characters"
    elif isinstance(field, IntegerField):
        kind = f"whole number, {field.low} to {field.high}"
    elif isinstance(field, BooleanField):
        kind = "true or false"
    elif isinstance(field, ObjectField):
        kind = "object"
    else:
        kind = f"list of {'up' if field.allow_empty else '1'} to {field.max_length} texts"
    if field.allow_null:
        kind += ", or null"
    if field.required:
        return kind, "yes"
    return (
        kind,
        "no" if field.default is serializers.empty or field.default == "" else f"no, {str(field.default).lower()}",
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_lists_the_members_that_an_operation_takes(operation: str) -> None:
    fields = view_of(operation).serializer_class().fields
    expected = [[f"`{name}`", *described(field)] for name, field in fields.items()]
    # In a reader's order: a serializer lists what it inherits first.
    assert sorted(documented_members(operation)) == sorted(expected)
    assert bool(fields) != ("It takes no members." in SECTIONS[operation])


def test_it_lists_what_differs_in_the_other_form_of_create_session() -> None:
    theirs, ours = ScopedSessionSerializer().fields, SlugSessionSerializer().fields
    expected = [[f"`{name}`", *described(field)] for name, field in theirs.items() if name not in ours]
    assert documented_members("Portal and scopes") == expected


def test_it_lists_the_pages_that_next_can_lead_to() -> None:
    rows = table(SECTIONS["First page"])
    assert rows
    for path, _, needed in rows:
        assert list(needs(code_spans(path)[0].replace("<key id>", "key_1")) or ()) == code_spans(needed)


class Broken:
    """A client that goes away in the middle of its body."""

    def read(self, size: int = -1) -> bytes:
        raise OSError("connection reset")

    readline = read


class Caller:
    """Calls one operation in every way that can go wrong."""

    def __init__(self, operation: str, config: PortalConfig, settings: Any, database_away: Callable[..., Any]) -> None:
        self.operation, self.config, self.settings, self.database_away = operation, config, settings, database_away
        self.client = Client(raise_request_exception=False)
        self.by_root_key = view_of(operation).authentication_classes == [RootKeyAuthentication]
        self.mints = operation == "portal.createSession"
        self.by_token = view_of(operation).authentication_classes == [PortalSessionAuthentication]

    def credential(self) -> str | None:
        if self.by_root_key:
            needed = f"portal.*.{ON_PORTALS[self.operation][1]}" if self.operation in ON_PORTALS else "api.*.verify_key"
            granted = {} if self.mints else {"granted": [needed]}
            return f"Bearer {issue_root_key(**granted).secret}"
        return f"Bearer {sign_in(self.config).secret}" if self.by_token else None

    def good_body(self) -> dict[str, Any]:
        if self.operation == "keys.verifyKey":
            return {"key": "sk_" + "0" * 49}
        if self.mints:
            return {"slug": self.config.slug, "externalId": "user_123", "permissions": ["keys:read"]}
        if self.operation in ON_PORTALS:
            return self.body_about_a_portal()
        if self.operation in ON_KEYS:
            return self.body_about_a_key()
        return {} if self.by_token else self.exchange_body(mint(self.config).secret)

    def exchange_body(self, code: str) -> dict[str, Any]:
        return {"code" if self.operation == "portal.exchangeCode" else "sessionId": code}

    def body_about_a_portal(self) -> dict[str, Any]:
        """Return a good body, for the one portal that there is."""
        PortalConfig.objects.exclude(pk=self.config.pk).delete()
        if not PortalConfig.objects.exists():
            self.config = PortalConfigFactory(slug="my-portal")
        return dict(ON_PORTALS[self.operation][0])

    def body_about_a_key(self) -> dict[str, Any]:
        """Return a good body: for a new key, or about the one key that the user has."""
        ApiKey.objects.all().delete()
        body = dict(ON_KEYS[self.operation])
        if self.operation != "portal.createKey":
            body["keyId"] = self.post("portal.createKey", {"name": "Laptop"}).json()["data"]["keyId"]
        return body

    def post(self, operation: str, body: Any, **headers: str) -> Any:
        """Return the answer to a call by the user who may do everything."""
        headers["Authorization"] = f"Bearer {sign_in(self.config).secret}"
        return self.client.post(f"/v2/{operation}", body, content_type="application/json", headers=headers)

    def call(
        self, body: Any = None, *, authorization: str | None = "", path: str = "", **headers: str
    ) -> tuple[str, int]:
        """Return the error and status of a call; without an argument it is a good one."""
        authorization = self.credential() if authorization == "" else authorization
        if authorization is not None:
            headers["Authorization"] = authorization
        answer = self.client.post(
            f"/v2/{self.operation}{path}",
            self.good_body() if body is None else body,
            content_type="application/json",
            headers=headers,
        )
        return self.error(answer)

    def error(self, answer: Any) -> tuple[str, int]:
        if answer.status_code == 200:
            return "", 200
        error = answer.json()["error"]
        assert error["status"] == answer.status_code
        return re.sub(r"^https://[^/]+/(docs/)?errors/", "", error["type"]), answer.status_code

    def everything_that_goes_wrong(self) -> Iterator[tuple[str, int]]:
        yield from self.whatever_the_operation()
        if self.by_root_key:
            yield from self.with_a_root_key()
        elif self.by_token:
            yield from self.with_a_token()
        else:
            used = mint(self.config).secret
            assert self.call(self.exchange_body(used)) == ("", 200)
            yield self.call(self.exchange_body(used))

    def whatever_the_operation(self) -> Iterator[tuple[str, int]]:
        path = f"/v2/{self.operation}"
        headers = {"Authorization": authorization} if (authorization := self.credential()) else {}
        yield self.call({"nonsense": 1})
        yield self.error(self.client.get(path))
        yield self.call(path="/")
        yield self.error(self.client.post(path, b" " * 300_000, content_type="application/json", headers=headers))
        yield self.error(self.client.post(path, b"x", content_type="text/plain", headers=headers))
        request = self.client.request
        environment = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_TYPE": "application/json"}
        if authorization:
            environment["HTTP_AUTHORIZATION"] = authorization
        yield self.error(request(**environment, **{"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}))
        for error in (OperationalError("gone"), RuntimeError("broken")):
            body = self.good_body()
            with self.database_away(error):
                yield self.call(body, authorization=authorization)
        self.settings.PORTAL = {
            **self.settings.PORTAL,
            "THROTTLE_RATES": {"create_session": "1/min", "failed": "1/min"},
        }
        body = self.good_body() if self.by_root_key else self.exchange_body("pst_" + "0" * 43)
        # Sessions are counted as they are minted; elsewhere it is failures that count.
        if self.mints or not (self.by_root_key or self.by_token):
            bad = authorization
        else:
            bad = f"Bearer {'prk_' if self.by_root_key else 'pat_'}{'0' * 43}"
        self.call(body, authorization=bad)
        yield self.call(body, authorization=bad)
        self.settings.PORTAL = {**self.settings.PORTAL, "THROTTLE_RATES": None}

    def with_a_root_key(self) -> Iterator[tuple[str, int]]:
        yield self.call(authorization=None)
        yield self.call(authorization="Basic eDp5")
        yield self.call(authorization="Bearer prk_" + "0" * 43)
        disabled, secret = issue_root_key()
        disabled.disable()
        yield self.call(authorization=f"Bearer {secret}")
        narrow = issue_root_key(granted=["portal.*.create_portal_session"] if self.mints else ["keys:read"]).secret
        yield self.call(authorization=f"Bearer {narrow}")
        if self.operation in ON_PORTALS:
            body = self.good_body()
            PortalConfigFactory(slug="taken")
            yield self.call({**body, "slug": "taken"})
        if not self.mints:
            return
        yield self.call({**self.good_body(), "slug": "elsewhere"})
        yield self.call({"portal": "elsewhere", "externalId": "user_123", "scopes": ["keys:read"]})
        self.config.enabled = False
        self.config.save()
        yield self.call()

    def with_a_token(self) -> Iterator[tuple[str, int]]:
        yield self.call(authorization=None)
        yield self.call(authorization="Bearer pat_" + "0" * 43)
        self.client.cookies["portal_session"] = sign_in(self.config).secret
        yield self.call(authorization=None, Origin="https://evil.example")
        self.client.cookies.clear()
        yield self.call(authorization=f"Bearer {sign_in(self.config, granted=['a.b.c']).secret}")
        for double in ("BrokenKeyStore", "SilentKeyStore"):
            body = self.good_body()
            with key_store(double):
                yield self.call(body)
        if self.operation in ON_KEYS:
            yield from self.with_a_key()

    def with_a_key(self) -> Iterator[tuple[str, int]]:
        """Everything that can be wrong about a key, whether this operation minds or not."""
        preview = sign_in(self.config, granted=CAPABILITIES, preview=True).secret
        yield self.call(authorization=f"Bearer {preview}")
        yield self.call({**self.good_body(), **({"keyId": "key_0"} if self.operation != "portal.createKey" else {})})
        for state in ({"locked": True}, {"enabled": False}):
            body = self.good_body()
            ApiKey.objects.update(**state)
            yield self.call(body)
        body = self.good_body()
        for _ in range(2):
            yield self.call(body, **{"Idempotency-Key": "once"})
        body = self.good_body()
        assert self.post("portal.createKey", {"name": "Phone"}).status_code == 200
        yield self.call(body)
        PortalConfig.objects.update(key_limit=1)
        yield self.call({**body, "name": "Desk"} if "name" in body else body)
        PortalConfig.objects.update(key_limit=None)
        body = self.good_body()
        with key_store("BusyKeyStore"):
            yield self.call(body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_lists_the_errors_that_an_operation_answers(
    operation: str, config: PortalConfig, settings: Any, database_away: Callable[..., Any]
) -> None:
    seen = dict(Caller(operation, config, settings, database_away).everything_that_goes_wrong())
    seen.pop("", None)
    assert seen == documented_errors("Errors of every operation") | documented_errors(operation)


def test_together_they_are_the_whole_catalogue() -> None:
    listed = set().union(*(documented_errors(heading) for heading in ["Errors of every operation", *OPERATIONS]))
    assert listed == set(CATALOGUE)
