"""The OpenAPI document is current and whole, and a host can have it in its own."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from portal.api.authentication import PortalSessionAuthentication, RootKeyAuthentication
from portal.api.urls import urlpatterns
from portal.contrib.keys.authentication import ApiKeyAuthentication
from portal.error_docs import DOCS
from portal.errors import CATALOGUE
from tests.docs.markdown import code_spans, sections, table
from tests.openapi import FILE, document, operations, problems, resolve

PAGE = sections("reference/http-api.md")
OPERATIONS = list(operations())
COMPONENTS = document()["components"]


@pytest.fixture
def no_address(settings: Any) -> None:
    """Let the portal not know its address, as in a project that just began."""
    settings.PORTAL = {}


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("portal_openapi", *arguments, stdout=out)
    return out.getvalue()


# The file --------------------------------------------------------------------------------------------------------------


def test_the_file_is_current(no_address: None) -> None:
    assert printed() == FILE.read_text(), "docs/openapi.yaml is not current: run `make openapi`."


def test_it_is_openapi() -> None:
    assert document()["openapi"].startswith("3.1.")
    validate_schema(document())


def test_its_schemas_are_json_schema() -> None:
    Draft202012Validator.check_schema({"$defs": COMPONENTS["schemas"]})
    for operation in operations().values():
        for content in contents(operation):
            Draft202012Validator.check_schema(content["schema"])


def test_every_route_is_in_it() -> None:
    routes = [str(url.pattern) for url in urlpatterns]
    assert {f"/{route}" for route in routes if route.startswith("v2/")} == set(document()["paths"])
    assert {name: item["operationId"] for name, item in operations().items()} == {name: name for name in OPERATIONS}
    assert all(set(item) == {"post"} for item in document()["paths"].values())


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r"\$ref: '?(#/[^'\n]+)", FILE.read_text())
    assert {reference for reference in references if not resolve({"$ref": reference})} == set()
    assert {link for operation in operations().values() for link in links(operation)} <= set(OPERATIONS)


def links(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["responses"]["200"].get("links", {})


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if links(operations()[name])])
def test_a_link_takes_from_the_answer_what_the_next_body_takes(operation: str) -> None:
    (content,) = operations()[operation]["responses"]["200"]["content"].values()
    answers = [example["value"] for example in content["examples"].values()]
    for name, link in links(operations()[operation]).items():
        bodies = body_schemas(name)
        for member, expression in link["requestBody"].items():
            assert any(member in body["properties"] for body in bodies), (name, member)
            parts = expression.removeprefix("$response.body#/").split("/")
            # The last page has no cursor, and one of createSession's answers has its code in the URL only.
            assert any(has(answer, parts) for answer in answers) or member == "cursor", expression


def has(value: Any, parts: list[str]) -> bool:
    for part in parts:
        if isinstance(value, dict) and part not in value:
            return False
        value = value[int(part) if isinstance(value, list) else part]
    return True


# Texts and tables ------------------------------------------------------------------------------------------------------


def body_schemas(operation: str) -> list[dict[str, Any]]:
    (content,) = operations()[operation]["requestBody"]["content"].values()
    return [resolve(schema) for schema in content["schema"].get("oneOf", [content["schema"]])]


def plain(text: str) -> str:
    """Return ``text`` without the addresses of links."""
    return re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_says_of_members_what_the_reference_says(operation: str) -> None:
    """Else: make the ``help_text`` of the serializer's field, or docs/reference/http-api.md, say what the other says."""
    headings = [operation, *(["Portal and scopes"] if operation == "portal.createSession" else [])]
    rows = [row for heading in headings for row in table(PAGE[heading]) if len(row) == 4]
    documented = {code_spans(name)[0]: (plain(text), required == "yes") for name, _, required, text in rows}
    described = {
        name: (member["description"], name in schema.get("required", []))
        for schema in body_schemas(operation)
        for name, member in schema.get("properties", {}).items()
    }
    assert described == documented


@pytest.mark.parametrize(("heading", "name"), [("A key", "ApiKey"), ("A portal", "Portal")])
def test_it_says_of_records_which_members_are_always_there(heading: str, name: str) -> None:
    documented = {code_spans(row[0])[0]: row[1] == "always" for row in table(PAGE[heading])}
    schema = COMPONENTS["schemas"][name]
    assert {member: member in schema["required"] for member in schema["properties"]} == documented


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_has_the_errors_of_the_reference(operation: str) -> None:
    """The reference's are held against the live ones by tests/docs/test_http_api.py."""
    rows = [row for heading in ("Errors of every operation", operation) for row in table(PAGE[heading])]
    documented = {(row[0], code_spans(row[1])[0]) for row in rows if row[0].isdigit()}
    # Of every path and every method but those of an operation.
    documented -= {("404", "portal/request/unknown_operation"), ("405", "portal/request/method_not_allowed")}
    listed = {
        (status, code)
        for status, response in operations()[operation]["responses"].items()
        if status != "200"
        for code in code_spans(resolve(response)["description"])
        if code in CATALOGUE
    }
    assert listed == documented


def test_every_error_of_the_catalogue_is_in_a_response() -> None:
    described = "".join(response["description"] for response in COMPONENTS["responses"].values())
    assert {code for code in CATALOGUE if f"- `{code}`: {DOCS[code].title}" not in described} == set()


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation["requestBody"]["content"].values()
    for response in operation["responses"].values():
        yield from resolve(response)["content"].values()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_examples_are_as_the_schemas_say(operation: str) -> None:
    for content in contents(operations()[operation]):
        assert content["examples"]
        for example in content["examples"].values():
            assert problems(content["schema"], resolve(example)["value"]) == []


def test_without_an_address_errors_of_our_own_have_no_page(no_address: None) -> None:
    examples = COMPONENTS["examples"]
    assert examples["portal.keys.locked"]["value"]["error"]["type"] == "about:blank"
    missing = examples["unkey.authentication.missing"]["value"]["error"]["type"]
    assert missing == "https://unkey.com/docs/errors/unkey/authentication/missing"


# The command, and hosts with a schema of their own -----------------------------------------------------------------------


def test_the_command_prints_json_too(settings: Any) -> None:
    made = json.loads(printed("--json"))
    assert made == yaml.safe_load(printed())
    assert made["servers"] == [{"url": "https://portal.example.com"}]
    example = made["components"]["examples"]["portal.keys.locked"]["value"]
    assert example["error"]["type"] == "https://portal.example.com/errors/portal/keys/locked"


def test_the_cookie_has_the_name_that_it_has_here(settings: Any) -> None:
    settings.PORTAL = {**settings.PORTAL, "COOKIE_NAME": "maps_session"}
    assert json.loads(printed("--json"))["components"]["securitySchemes"]["portalSession"]["name"] == "maps_session"


def test_the_command_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    imports = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("drf_spectacular"):
            raise ImportError(name)
        return imports(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CommandError, match=r"pip install 'django-customer-portal\[openapi\]'"):
        printed()


def test_what_a_project_has_set_for_its_own_schema_changes_nothing(no_address: None) -> None:
    with patched_settings(
        {"TITLE": "Mine", "OAS_VERSION": "3.0.3", "CAMELIZE_NAMES": True, "APPEND_PATHS": {"/own": {}}}
    ):
        assert printed() == FILE.read_text()


def own_view(authentication: type[Any]) -> Any:
    class Own(APIView):
        schema = AutoSchema()
        serializer_class = Serializer
        authentication_classes = [authentication]
        permission_classes = []

        def delete(self, request: Any) -> None: ...

    return Own.as_view()


OWN = {
    "some-keys": (type("Mine", (ApiKeyAuthentication,), {}), [{"portalApiKey": []}]),
    "sessions": (PortalSessionAuthentication, [{"portalToken": []}, {"portalSession": []}]),
    "backends": (RootKeyAuthentication, [{"rootKey": []}]),
    "keys": (ApiKeyAuthentication, [{"portalApiKey": []}]),
}


def test_a_hosts_own_schema_has_our_operations_and_our_credentials(capfd: pytest.CaptureFixture[str]) -> None:
    # As it does when it starts.
    import_module("portal.api.openapi")
    own = [path(f"own/{name}", own_view(authentication)) for name, (authentication, _) in OWN.items()]
    generator = SchemaGenerator(patterns=[*own, path("customers/", include("portal.urls"))])
    made = generator.get_schema(public=True)
    validate_schema(made)
    for name, (_, security) in OWN.items():
        assert made["paths"][f"/own/{name}"]["delete"]["security"] == security
    assert {path.removeprefix("/customers/v2/") for path in made["paths"] if path.startswith("/customers")} == set(
        OPERATIONS
    )
    assert set(made["components"]["securitySchemes"]) == {"portalApiKey", "portalSession", "portalToken", "rootKey"}
    assert capfd.readouterr().err == ""
