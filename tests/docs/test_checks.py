"""The reference of the checks lists what the modules of checks yield."""

from __future__ import annotations

import ast
from pathlib import Path

from portal import checks
from portal.keystore import checks as keystore_checks
from portal.models import checks as model_checks
from tests.docs.follower import Follower
from tests.docs.markdown import sections, table

PAGE = "reference/checks.md"
SECTIONS = sections(PAGE)


def text_of(node: ast.expr) -> str:
    """Return a text of the code, with ``…`` for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def messages() -> list[list[str]]:
    """Return id, text and hint of each message that the code makes, in the order of the ids."""
    found = []
    sources = "".join(Path(module.__file__).read_text() for module in (checks, keystore_checks, model_checks))
    # Each begins with the same import, which must be the first statement.
    for node in ast.walk(ast.parse(sources.replace("from __future__ import annotations", ""))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Error", "Warning"}:
            options = {keyword.arg: text_of(keyword.value) for keyword in node.keywords}
            # Those with a filled-in id are the table of wrong values.
            if "…" not in options["id"]:
                assert options["id"].startswith("portal.E" if node.func.id == "Error" else "portal.W")
                found.append([f"`{options['id']}`", text_of(node.args[0]), options["hint"]])
    return sorted(found)


def test_wrong_values() -> None:
    rows = [[f"`portal.{code}`", f"`{key}`", hint] for key, _, code, hint in checks._RULES]
    assert sorted(table(SECTIONS["Wrong values"])) == sorted(rows)


def test_everything_else() -> None:
    listed = table(SECTIONS["Always"]) + table(SECTIONS["With `check --deploy`"])
    assert sorted(listed) == messages()
    assert all(row[0][len("`portal.E")] == "0" for row in table(SECTIONS["Always"]))
    assert all(row[0][len("`portal.E")] == "1" for row in table(SECTIONS["With `check --deploy`"]))


def test_the_examples(follower: Follower) -> None:
    follower.follow(PAGE)
    assert follower.left == []
