"""The reference of the Python API names what is there, and all of each module that it names as a whole."""

from __future__ import annotations

import dataclasses
import inspect
from importlib import import_module
from typing import Any

import pytest

from portal.authenticate import AuthenticatedRootKey, AuthenticatedSession
from portal.contrib.keys.verify import VerifiedKey
from portal.errors import PortalError
from portal.models import PortalConfig, PortalEvent, PortalLogo, PortalSession, RootKey
from tests.docs.markdown import code_spans, sections, table

SECTIONS = sections("reference/python.md")
MODULES = [heading.strip("`") for heading in SECTIONS if heading.startswith("`")]
MODELS = {model.__name__: model for model in (PortalConfig, PortalEvent, PortalLogo, PortalSession, RootKey)}
#: Rows' keys, and how metadata is kept, are there for the portal alone.
OURS = {"pk", "portal_pk", "secret_pk", "metadata_json", "actor"}


def first_cells(heading: str) -> list[str]:
    """Return what the rows below a heading are about, as they write it."""
    return [code_spans(row[0])[0] for row in table(SECTIONS[heading])]


def name_of(written: str) -> str:
    return written.partition("(")[0]


def assert_called_so(written: str, called: Any, *, skip: int = 0) -> None:
    """Hold ``written``, such as ``rotate(grace)``, to a signature: names in order, and the star before what must be named.

    :param skip: how many parameters stand before those that are written.
    """
    _, parenthesis, inside = written.partition("(")
    if not parenthesis:
        return
    parameters = list(inspect.signature(called).parameters.values())[skip:]
    named = [word.strip("* ") for word in inside.rstrip(")").split(",") if word.strip("* ")]
    assert set(named) <= {parameter.name for parameter in parameters}, written
    positional = [word.strip() for word in inside.rstrip(")").split("*")[0].split(",") if word.strip()]
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    assert positional == [parameter.name for parameter in parameters][: len(positional)], written
    assert all(kinds[name] is not inspect.Parameter.KEYWORD_ONLY for name in positional), written
    required = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    starred = {
        parameter.name
        for parameter in parameters
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    }
    assert required - starred <= set(named), written


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_there_with_all_of_its_names(name: str) -> None:
    module = import_module(name)
    written = first_cells(f"`{name}`")
    assert sorted(map(name_of, written)) == sorted(module.__all__)
    for one in written:
        assert_called_so(one, getattr(module, name_of(one)))


def test_single_names_are_there() -> None:
    for written in first_cells("Single names"):
        module, _, name = written.rpartition(".")
        assert name in import_module(module).__all__, written
        assert module not in MODULES, f"{module} is there as a whole"


@pytest.mark.parametrize("described", [AuthenticatedSession, AuthenticatedRootKey, VerifiedKey])
def test_what_views_get_is_there_with_all_that_it_has(described: Any) -> None:
    fields = {field.name for field in dataclasses.fields(described)}
    members = {name for name in vars(described) if not name.startswith("_")}
    written = first_cells(described.__name__)
    assert set(map(name_of, written)) == (fields | members) - OURS
    for one in written:
        if "(" in one:
            assert_called_so(one, getattr(described, name_of(one)), skip=1)


def test_an_error_is_there_with_its_status_and_code() -> None:
    errors = import_module("portal.errors")
    for name, said in table(SECTIONS["`portal.errors`"]):
        error = getattr(errors, code_spans(name)[0])
        if isinstance(error, type) and issubclass(error, PortalError) and error is not PortalError:
            assert said == f"{int(error.status)} `{error.code}`"


def test_an_error_has_what_is_said_of_all() -> None:
    row = next(row for row in table(SECTIONS["`portal.errors`"]) if row[0] == "`PortalError`")
    error = import_module("portal.errors").InvalidInput()
    assert all(hasattr(error, name) for name in code_spans(row[1]))


@pytest.mark.parametrize("written", first_cells("Verbs of the models"))
def test_a_verb_is_there_and_called_so(written: str) -> None:
    path = name_of(written).split(".")
    found: Any = MODELS[path[0]]
    for name in path[1:]:
        found = getattr(found, name)
    assert_called_so(written, found, skip=0 if "objects" in path else 1)
