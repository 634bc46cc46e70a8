"""The reference of the commands says what ``--help`` says."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from django.core.management.base import BaseCommand

import portal
from tests.docs.follower import Follower
from tests.docs.markdown import sections, table

PAGE = "reference/commands.md"
SECTIONS = sections(PAGE)
COMMANDS = sorted(path.stem for path in (Path(portal.__file__).parent / "management/commands").glob("portal_*.py"))


def test_it_has_every_command() -> None:
    assert list(SECTIONS) == ["Commands", *COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_it_says_what_help_says(name: str) -> None:
    command: BaseCommand = import_module(f"portal.management.commands.{name}").Command()
    of_django = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}
    rows = []
    for action in command.create_parser("manage.py", name)._actions:
        if action.dest not in of_django:
            words = [*action.option_strings] or [action.dest]
            if action.option_strings and action.nargs != 0:
                words.append(str(action.metavar or action.dest.upper()))
            rows.append([f"`{' '.join(words)}`", action.help])
    assert table(SECTIONS[name]) == rows
    assert SECTIONS[name].strip().startswith(f"{command.help}\n")


def test_the_examples(follower: Follower, logo: bytes) -> None:
    follower.path("logo.png").write_bytes(logo)
    follower.follow(PAGE)
    assert follower.left == []
