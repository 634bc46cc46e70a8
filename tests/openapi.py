"""Holds answers and bodies against the OpenAPI document, and calls what is in it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from portal.models import PortalConfig
from tests.factories import issue_root_key, sign_in
from tests.projects import ROOT

FILE = ROOT / "docs" / "openapi.yaml"


@cache
def document() -> dict[str, Any]:
    """Return the committed document. What is in it is not to be changed."""
    return yaml.safe_load(FILE.read_text())


def operations() -> dict[str, dict[str, Any]]:
    """Return the operations by their names."""
    return {path.removeprefix("/v2/"): item["post"] for path, item in document()["paths"].items()}


def caller(operation: str, config: PortalConfig) -> dict[str, str]:
    """Return the headers of a caller who may do everything; none where no credential is looked at."""
    schemes = {name for requirement in operations()[operation]["security"] for name in requirement}
    if not schemes:
        return {}
    secret = issue_root_key(granted=["*"]).secret if "rootKey" in schemes else sign_in(config).secret
    return {"Authorization": f"Bearer {secret}"}


def closed(schema: Any) -> Any:
    """Return ``schema``, or a whole document, with no object in it that takes members which are not listed.

    The document leaves answers open, so that a later release can add members; here each one must be in it.
    """
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {name: value if name in {"example", "examples"} else closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        whole.setdefault("additionalProperties", False)
    return whole


def resolve(item: dict[str, Any]) -> dict[str, Any]:
    """Return what ``item`` is, or refers to."""
    while "$ref" in item:
        found: Any = document()
        for name in item["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        item = found
    return item


def problems(schema: dict[str, Any], value: Any, *, close: bool = False) -> list[str]:
    """Return what is wrong with ``value`` by ``schema``, a part of the document."""
    whole = {**schema, "components": {"schemas": document()["components"]["schemas"]}}
    found = Draft202012Validator(closed(whole) if close else whole).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def body_problems(operation: str, body: Any) -> list[str]:
    """Return what is wrong with the body of a request."""
    (content,) = operations()[operation]["requestBody"]["content"].values()
    return problems(content["schema"], body)


def assert_answer_is_in_it(responses: dict[str, Any], answer: Any) -> None:
    """Assert that one of ``responses``, by status, is what ``answer`` is: its type, headers and body."""
    response = resolve(responses[str(answer.status_code)])
    assert list(response["content"]) == [answer["Content-Type"]]
    (content,) = response["content"].values()
    assert problems(content["schema"], json.loads(answer.content), close=True) == []
    for name, header in response["headers"].items():
        schema = resolve(header)["schema"]
        value = int(answer[name]) if schema.get("type") == "integer" else answer[name]
        assert problems(schema, value) == [], name
