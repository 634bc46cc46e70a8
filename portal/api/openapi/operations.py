"""From an operation's view to its place in the document."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from django.apps import apps
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from rest_framework.views import APIView

from portal.api.authentication import PortalSessionAuthentication, RootKeyAuthentication
from portal.api.views.base import Operation, UnknownOperationView
from portal.error_docs.doc import EXAMPLE_REQUEST_ID
from portal.errors import (
    AuthenticationMalformed,
    AuthenticationMissing,
    BodyTooLarge,
    BodyUnreadable,
    Forbidden,
    InvalidInput,
    KeyDisabled,
    KeyNotFound,
    MethodNotAllowed,
    PortalError,
    PortalSessionNotFound,
    PortalTokenMissing,
    ServiceUnavailable,
    TooManyRequests,
    UnexpectedError,
    UnknownOperation,
    UnsupportedMediaType,
)

from . import about_keys, about_portals, about_sessions, about_usage, refusals
from .description import Description, Form
from .schemas import Schema, flag, record, ref, text

__all__ = ["OperationSchema", "OperationView"]

_ALWAYS: tuple[type[PortalError], ...] = (
    InvalidInput,
    BodyUnreadable,
    BodyTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    UnexpectedError,
    ServiceUnavailable,
)
_BY_CREDENTIAL: Mapping[Any, tuple[type[PortalError], ...]] = {
    RootKeyAuthentication: (AuthenticationMissing, AuthenticationMalformed, KeyNotFound, KeyDisabled),
    PortalSessionAuthentication: (PortalTokenMissing, PortalSessionNotFound, Forbidden),
}
#: What no operation answers, but every path and method that is none.
_OFF_THE_MAP = (UnknownOperation, MethodNotAllowed)

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this request: of all requests of one user that have the same, one makes a secret, and the others "
    "are answered with 409. Take a random UUID, and the same again when you repeat.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


_MODULES = (
    about_sessions,
    about_keys,
    about_usage,
    about_portals,
    # An app that adds operations describes them in its module openapi.
    *(import_module(f"{app.name}.openapi") for app in apps.get_app_configs() if hasattr(app, "portal_api_urls")),
)
_DESCRIPTIONS: Mapping[str, Description] = {
    name: description for module in _MODULES for name, description in module.OPERATIONS.items()
}
_SCHEMAS: Mapping[str, Schema] = {
    "Pagination": record(
        {"hasMore": flag("whether there is another page")},
        {"cursor": text("what to send as `cursor` to get it; there when `hasMore` is true")},
    ),
    **refusals.SCHEMAS,
    **{name: schema for module in _MODULES for name, schema in getattr(module, "SCHEMAS", {}).items()},
}


class OperationSchema(AutoSchema):
    """Describes one operation."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """Return the operation; None for what answers all paths that are none."""
        if isinstance(self.view, UnknownOperationView):
            return None
        self.registry, self.path, self.path_regex, self.path_prefix = registry, path, path_regex, path_prefix
        self.method = method
        self._register_shared()
        name = cast(Operation, self.view).name
        about = _DESCRIPTIONS[name]
        return {
            "operationId": name,
            "summary": about.summary,
            **({"description": about.text} if about.text else {}),
            "tags": [about.tag],
            **({"parameters": [_IDEMPOTENCY_KEY]} if about.idempotent else {}),
            "requestBody": self._request(about),
            "security": self.get_auth(),
            "responses": {"200": self._answer(about), **self._refusals(about)},
        }

    def _register_shared(self) -> None:
        self._register(ResolvedComponent.SCHEMA, _SCHEMAS)
        self._register(ResolvedComponent.HEADER, refusals.HEADERS)
        self._register(ResolvedComponent.EXAMPLE, refusals.examples())
        off_the_map = refusals.responses(_OFF_THE_MAP)
        self._register(ResolvedComponent.RESPONSE, {name: response for _, name, response in off_the_map})

    def _register(self, kind: str, components: Mapping[str, Schema]) -> None:
        for name, schema in components.items():
            self.registry.register_on_missing(ResolvedComponent(name, kind, schema, object=OperationSchema))

    def _body(self, form: Form) -> tuple[Schema, bool]:
        """Return the schema of a body and whether there must be one: no body at all is the same as ``{}``."""
        component = self.resolve_serializer(form.body or cast(Operation, self.view).serializer_class, "request")
        return component.ref, "required" in component.schema

    def _request(self, about: Description) -> dict[str, Any]:
        bodies = [self._body(form) for form in about.forms.values()]
        return {
            "required": all(required for _, required in bodies),
            "content": {
                "application/json": {
                    "schema": _any_of([schema for schema, _ in bodies]),
                    "examples": {name: {"value": dict(form.example[0])} for name, form in about.forms.items()},
                }
            },
        }

    def _answer(self, about: Description) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "description": "Done.",
            "headers": {name: ref(name, "headers") for name in refusals.EVERYWHERE},
            "content": {
                "application/json": {
                    "schema": _any_of([record({"meta": ref("Meta"), **form.answer}) for form in about.forms.values()]),
                    "examples": {
                        name: {"value": {"meta": {"requestId": EXAMPLE_REQUEST_ID}, **form.example[1]}}
                        for name, form in about.forms.items()
                    },
                }
            },
        }
        if about.links:
            answer["links"] = {
                name: {"operationId": name, "requestBody": dict(members)} for name, members in about.links.items()
            }
        return answer

    def _refusals(self, about: Description) -> dict[str, Any]:
        errors = {*_ALWAYS, *about.errors}
        for authentication in self.view.get_authenticators():
            errors.update(_BY_CREDENTIAL[type(authentication)])
        found = {}
        for status, name, response in refusals.responses(errors):
            self._register(ResolvedComponent.RESPONSE, {name: response})
            found[status] = ref(name, "responses")
        return found


class OperationView(OpenApiViewExtension):
    """Hands every operation to :class:`OperationSchema`, whatever schema class the project has for its own views."""

    target_class = Operation
    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        """Return the view with our schema class."""
        return type(self.target.__name__, (self.target,), {"schema": OperationSchema()})


def _any_of(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
