"""The reference of the commands says what ``--help`` says."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from django.core.management.base import BaseCommand

from portal.contrib.keys.management.records import COLUMNS
from tests.docs.follower import Follower
from tests.docs.markdown import sections, table

PAGE = "reference/commands.md"
SECTIONS = sections(PAGE)
#: What a file may hold is a table of its own.
COLUMNS_HEAD = "| column | is |"
#: The modules of the commands, by name.
COMMANDS = {
    path.stem: f"{package}.{path.stem}"
    for package in ("portal.management.commands", "portal.contrib.keys.management.commands")
    for path in Path(str(import_module(package).__file__)).parent.glob("portal_*.py")
}


def test_it_has_every_command() -> None:
    assert list(SECTIONS) == ["Commands", *sorted(COMMANDS)]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_it_says_what_help_says(name: str) -> None:
    command: BaseCommand = import_module(COMMANDS[name]).Command()
    of_django = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}
    rows = []
    for action in command.create_parser("manage.py", name)._actions:
        if action.dest not in of_django:
            words = [*action.option_strings] or [action.dest]
            if action.option_strings and action.nargs != 0:
                words.append(str(action.metavar or action.dest.upper()))
            rows.append([f"`{' '.join(words)}`", action.help])
    arguments, _, _columns = SECTIONS[name].partition(COLUMNS_HEAD)
    assert table(arguments) == rows
    assert SECTIONS[name].strip().startswith(f"{command.help}\n")


def test_it_has_the_columns_of_an_import() -> None:
    _arguments, _, columns = SECTIONS["portal_import_keys"].partition(COLUMNS_HEAD)
    assert sorted(name for name, _ in table(COLUMNS_HEAD + columns)) == sorted(f"`{name}`" for name in COLUMNS)


def test_the_examples(follower: Follower, logo: bytes) -> None:
    follower.path("logo.png").write_bytes(logo)
    follower.follow(PAGE)
    assert follower.left == []
