"""The reference of the settings says what conf.py does."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from typing import Any

import pytest

from portal.checks import check_settings
from portal.conf import PortalSettings, portal_settings
from tests.docs.markdown import Step, code_spans, sections, steps

PAGE = "reference/settings.md"
KEYS = {name: value for name, value in vars(PortalSettings).items() if isinstance(value, property)}
SECTIONS = sections(PAGE)
EXAMPLES = {step.section.strip("`"): step for step in steps(PAGE) if step.language == "python"}


def example(step: Step) -> dict[str, Any]:
    values: dict[str, Any] = {}
    exec(step.text, values)
    portal = values["PORTAL"]
    assert isinstance(portal, dict)
    return portal


def test_it_has_every_key_in_the_order_of_the_code() -> None:
    assert list(SECTIONS) == ["Settings", *(f"`{name}`" for name in KEYS)]


@pytest.mark.parametrize("name", KEYS)
def test_type_default_and_text(name: str, settings: Any) -> None:
    section = SECTIONS[f"`{name}`"]
    kind = re.search(r"^- Type: `([^`]+)`", section, re.MULTILINE)
    default = re.search(r"^- Default: (.*)$", section, re.MULTILINE)
    assert kind
    assert default
    assert kind[1] == str(inspect.signature(KEYS[name].fget).return_annotation)  # type: ignore[arg-type]
    settings.PORTAL = {}
    (value,) = code_spans(default[1])
    assert eval(value, {"timedelta": timedelta}) == getattr(portal_settings, name)
    docstring = (inspect.getdoc(KEYS[name]) or "").replace("``", "`")
    assert " ".join(docstring.split()) in " ".join(section.split())


@pytest.mark.parametrize("name", KEYS)
def test_the_example_is_taken_and_changes_something(name: str, settings: Any) -> None:
    settings.PORTAL = {}
    before = getattr(portal_settings, name)
    given = example(EXAMPLES[name])
    settings.PORTAL = {"BASE_URL": "https://example.com", **given}
    assert check_settings() == []
    after = getattr(portal_settings, name)
    assert after != before
    assert after == (before | given[name] if isinstance(before, dict) else given[name])


def test_the_first_example_is_a_whole_settings_file(settings: Any) -> None:
    settings.PORTAL = example(EXAMPLES["Settings"])
    assert check_settings() == []
