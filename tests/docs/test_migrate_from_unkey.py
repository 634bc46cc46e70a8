"""The how-to of leaving Unkey, followed with each release that it names; its tables are held against tests/sdk."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from itertools import groupby
from typing import Any

import pytest

from portal.errors import CATALOGUE
from tests.docs.follower import Follower
from tests.docs.markdown import code_spans, read, sections, steps, table
from tests.sdk.clients import CLIENTS, JS, Client
from tests.sdk.drivers import FOLDER, command_of, node

PAGE = "how-to/migrate-from-unkey.md"
SECTIONS = sections(PAGE)
ABILITIES = "What each client can do"
TESTS = re.compile(r"`(test_\w+)\.py::(\w+)`")
#: How tests/sdk calls what it has a word of its own for.
CALLS = {"createSession": "sdk.mint(", "exchangeSession": "sdk.exchange(", "exchangeCode": "sdk.exchange("}


def released(text: str) -> list[Client]:
    """Return the clients that ``text`` names: a package, and its releases after it."""
    found: list[Client] = []
    package = ""
    for name, version in re.findall(r"(@unkey/api|unkey-py)|\b(\d+\.\d+\.\d+)\b", text):
        package = name or package
        found += [client for client in CLIENTS if version and (client.name, client.version) == (package, version)]
    return found


def install(follower: Follower, client: Client) -> None:
    """Give the reader's project a release of a client, as npm or pip would."""
    if client.name == JS:
        node()
        package = follower.path("node_modules/@unkey/api")
        package.parent.mkdir(parents=True, exist_ok=True)
        package.unlink(missing_ok=True)
        package.symlink_to(FOLDER / "node_modules" / f"unkey-{client.version}")
        return
    _, _, *folders = command_of(client)
    follower.environment["PYTHONPATH"] = "".join(folders)


def proofs(text: str) -> list[tuple[Callable[..., Any], list[Client]]]:
    """Return the tests that ``text`` names, which must be there, each with the clients that it runs with."""
    found = []
    for module, name in TESTS.findall(text):
        test = getattr(import_module(f"tests.sdk.{module}"), name)
        (run_with,) = [mark.args[1] for mark in test.pytestmark if mark.args[:1] == ("sdk",)]
        found.append((test, run_with))
    return found


def test_every_release(follower: Follower) -> None:
    """Where a heading names releases, each of them runs what is below it."""
    follower.run("python manage.py runserver")
    tried: set[Client] = set()
    for section, below in groupby(steps(PAGE), lambda step: step.section):
        taken = list(below)
        for number, client in enumerate(released(section) or [None]):
            if client is not None:
                install(follower, client)
                tried.add(client)
            for step in taken:
                # The files are there from the first time.
                if number == 0 or step.language in {"sh", "text"}:
                    follower.do(step)
    assert follower.left == []
    assert tried == set(CLIENTS)


def test_the_generations_are_those_of_the_clients() -> None:
    rows = table(SECTIONS["What stays the same"])
    assert sorted(str(client) for row in rows for client in released(row[1])) == sorted(map(str, CLIENTS))
    for _, names, words, exchange, _ in rows:
        for client in released(names):
            assert code_spans(words) == [client.dialect.name, client.dialect.grants], client
            assert code_spans(exchange) == [client.dialect.exchange], client


def abilities() -> tuple[list[Client], list[list[str]]]:
    """Return the clients of the columns, and the rows of operations."""
    text = SECTIONS[ABILITIES]
    (head,) = [line for line in text.splitlines() if line.startswith("| operation ")]
    generations, *rows = table(text)
    assert generations[0] == "generation"
    return released(head), rows


def test_the_table_has_every_operation_of_every_client() -> None:
    columns, rows = abilities()
    assert columns == CLIENTS
    cells = {
        (client, code_spans(row[0])[0]): cell for row in rows for client, cell in zip(columns, row[1:], strict=False)
    }
    assert {of for of, cell in cells.items() if cell == "yes"} == {(c, name) for c in CLIENTS for name in c.operations}
    assert {of for of, cell in cells.items() if cell == "no"} == {(c, name) for c in CLIENTS for name in c.unsendable}
    assert set(cells.values()) == {"yes", "no", "–"}


def test_the_columns_have_the_generations_of_the_first_table() -> None:
    numbers = {client: row[0] for row in table(SECTIONS["What stays the same"]) for client in released(row[1])}
    generations = table(SECTIONS[ABILITIES])[0]
    assert generations[1 : 1 + len(CLIENTS)] == [numbers[client] for client in CLIENTS]


@pytest.mark.parametrize("row", abilities()[1], ids=lambda row: row[0].strip("`"))
def test_each_cell_is_proved(row: list[str]) -> None:
    """The tests that a row names call its operation, with every client that has it."""
    (operation,) = code_spans(row[0])
    named = proofs(row[-1])
    assert named
    for test, run_with in named:
        assert CALLS.get(operation, f'sdk("{operation}"') in inspect.getsource(test)
        assert {client for client in CLIENTS if operation in client.operations} <= {*run_with}


def test_what_stands_around_the_table_is_proved() -> None:
    prose = "\n".join(line for line in SECTIONS[ABILITIES].splitlines() if not line.startswith("|"))
    (cannot, unable), (asynchronous, python) = proofs(prose)
    assert "sdk.client.unsendable" in inspect.getsource(cannot)
    assert unable == [client for client in CLIENTS if client.unsendable]
    assert "createSessionAsync" in inspect.getsource(asynchronous)
    assert python == [client for client in CLIENTS if client.name != JS]


@pytest.mark.parametrize("row", table(SECTIONS["Errors"]), ids=lambda row: row[0])
def test_each_error_is_proved(row: list[str]) -> None:
    """The tests that a row names assert its class and its status."""
    (name,) = code_spans(row[1])
    named = proofs(row[2])
    assert named
    for test, _ in named:
        source = inspect.getsource(test)
        assert row[0][:3] in source
        assert ("assert_general_error" if name == "APIError" else f'"{name}"') in source


def test_every_test_that_is_named_is_there() -> None:
    assert len(proofs(read(PAGE))) == read(PAGE).count(".py::")


def test_every_error_that_is_named_exists() -> None:
    named = re.findall(r"`((?:portal|unkey|user)/\w+/\w+)`", read(PAGE))
    assert named
    assert {*named} <= {*CATALOGUE}
