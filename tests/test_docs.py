"""The documentation names what the code has, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import portal

PACKAGE = Path(portal.__file__).parent
ROOT = PACKAGE.parent
TEMPLATES = PACKAGE / "templates" / "portal"
THEMING = (ROOT / "docs" / "theming.md").read_text()


def first_cells(section: str) -> list[str]:
    """Return the code spans in the first cell of each row of the section's table."""
    text = THEMING.split(f"## {section}")[1].split("\n## ")[0]
    return [
        name for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    ]


def test_theming_lists_every_element_with_its_options():
    assert first_cells("3.") == sorted(path.stem for path in (TEMPLATES / "elements").glob("*.html"))
    for row in re.findall(r"^\| `(\w+)` \| (.*) \|$", THEMING, re.MULTILINE):
        source = TEMPLATES / "elements" / f"{row[0]}.html"
        if source.exists():
            for option in re.findall(r"`(\w+)`", row[1].split(", each")[0]):
                assert re.search(rf"\b{option}\b", source.read_text()), (row[0], option)


def test_theming_lists_every_template_and_block():
    listed = {name.removeprefix("portal/") for name in first_cells("4.")}
    files = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if path.parent.name not in {"admin", "elements"}
    }
    assert listed == files
    blocks = {
        name: set(re.findall(r"`(\w+)`", cell))
        for name, cell in re.findall(r"^\| `portal/layouts/(\w+)\.html` \|[^|]*\| (.*) \|$", THEMING, re.MULTILINE)
    }
    for name, listed_blocks in blocks.items():
        source = (TEMPLATES / "layouts" / f"{name}.html").read_text()
        own = set(re.findall(r"{% block (\w+) %}", source))
        assert listed_blocks == own - (set() if name == "base" else blocks["base"]), name


def test_theming_lists_every_custom_property():
    css = (PACKAGE / "static" / "portal" / "portal.css").read_text()
    assert set(first_cells("2.")) == set(re.findall(r"(--[a-z0-9-]+):", css))


def test_the_changelog_speaks_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in changelog if ".dev" in portal.__version__ else f"## {portal.__version__}" in changelog


def test_every_module_has_a_docstring_and_its_public_names():
    for path in PACKAGE.rglob("*.py"):
        if "migrations" in path.parts and path.name != "__init__.py":
            continue
        source = path.read_text()
        assert source.startswith(('"""', 'r"""')), path
        public = re.findall(r"^(?:class|def) ([A-Za-z]\w*)", source, re.MULTILINE)
        if public and "commands" not in path.parts and path.name != "urls.py":
            assert "__all__" in source, path


def test_no_module_is_longer_than_one_can_read():
    long = {
        str(path): len(path.read_text().splitlines())
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {path: lines for path, lines in long.items() if lines > 250} == {}
