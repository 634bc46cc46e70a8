"""The reference of key stores says what the protocol does."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_args, is_typeddict

import pytest

from portal import errors
from portal.keystore import base
from portal.keystore.base import KeyStore
from portal.keystore.testing import Hooks
from tests.docs.markdown import code_spans, sections, table

PAGE = "reference/key-store.md"
SECTIONS = sections(PAGE)
METHODS = {name: value for name, value in vars(KeyStore).items() if inspect.isfunction(value)}
NAMES = [name for name in base.__all__ if name != "KeyStore"]


def call(name: str, function: Callable[..., Any]) -> str:
    """Return a call as the tables write it: the names of the parameters, and the star before what must be named."""
    words: list[str] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        words.append(f"**{parameter.name}" if parameter.kind is parameter.VAR_KEYWORD else parameter.name)
    return f"{name}({', '.join(words)})"


def test_it_has_every_flag_and_its_default() -> None:
    flags = {name: getattr(KeyStore, name) for name in KeyStore.__annotations__ if not name.startswith("_")}
    assert {code_spans(row[0])[0]: code_spans(row[1])[0] for row in table(SECTIONS["Flags"])} == {
        name: repr(value) for name, value in flags.items()
    }


def test_it_has_every_method_as_it_is_called() -> None:
    rows = table(SECTIONS["Methods"])
    assert [code_spans(row[0])[0] for row in rows] == [call(name, method) for name, method in METHODS.items()]
    for row, (name, method) in zip(rows, METHODS.items(), strict=True):
        answer = str(inspect.signature(method).return_annotation)
        said = code_spans(row[1])
        assert not said or said[0] in answer, name


def test_it_has_the_refusals_of_every_method() -> None:
    for row, (name, method) in zip(table(SECTIONS["Methods"]), METHODS.items(), strict=True):
        named = set(code_spans(row[3]))
        assert named >= set(re.findall(r":raises (\w+):", inspect.getdoc(method) or "")), name
        assert named <= set(errors.__all__), name


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_members_of_everything(name: str) -> None:
    rows = {code_spans(row[0])[0]: row[1] for row in table(SECTIONS["What they speak of"])}
    value: Any = getattr(base, name)
    if is_dataclass(value):
        expected = [field.name for field in fields(value)]
    elif is_typeddict(value):
        expected = list(value.__annotations__)
    elif isinstance(value, type) and issubclass(value, Enum):
        expected = [member.value for member in value]
    elif get_args(value):
        expected = list(get_args(value))
    else:
        assert rows[name] == f"{value.days} days"
        return
    assert code_spans(rows[name]) == expected


def test_it_has_nothing_else() -> None:
    assert sorted(code_spans(row[0])[0] for row in table(SECTIONS["What they speak of"])) == sorted(NAMES)


def test_it_has_the_hooks_of_the_tests() -> None:
    hooks = {name: getattr(Hooks, name) for name in ("make_store", "make_owner", "make_key", "accepts", "lock", "at")}
    assert [code_spans(row[0])[0] for row in table(SECTIONS["Tests"])] == [
        call(name, hook) for name, hook in hooks.items()
    ]
