"""The list of requirements is complete, and each proof that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from django.test import Client

from portal.models import PortalConfig
from tests.docs.markdown import code_spans, read, table
from tests.factories import mint, sign_in
from tests.projects import ROOT

ROWS = {int(row[0]): row[1:] for row in table(read("security.md"))}


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def rows_of(name: str) -> set[int]:
    """Return the numbers that a test's name claims, as in test_row_8_and_13_… and test_rows_37_to_39_…."""
    claimed = re.match(r"test_rows?_(\d+(?:_(?:and_|to_)?\d+)*)_", name)
    if not claimed:
        return set()
    first_to_last = re.fullmatch(r"(\d+)_to_(\d+)", claimed[1])
    if first_to_last:
        return set(range(int(first_to_last[1]), int(first_to_last[2]) + 1))
    return {int(number) for number in re.findall(r"\d+", claimed[1])}


def test_it_has_every_requirement() -> None:
    assert list(ROWS) == list(range(1, 48))


@pytest.mark.parametrize("number", ROWS)
def test_each_has_an_answer_and_a_proof_that_is_there(number: int) -> None:
    requirement, answer, proof = ROWS[number]
    assert requirement
    assert answer
    proofs = code_spans(proof)
    assert proofs or answer.startswith("Later: ")
    for path, _, name in (named.partition("::") for named in proofs):
        assert name in names_in(path), f"{path} has no {name}"


def test_a_proof_that_names_its_row_stands_in_it() -> None:
    elsewhere = {
        # An audit row is about secrets and about who did what.
        (45, "test_row_7_audits_with_public_ids_only"),
        (11, "test_row_10_the_cookie"),
    }
    misplaced = {
        (number, name)
        for number, row in ROWS.items()
        for name in re.findall(r"::(\w+)", row[2])
        if rows_of(name) and number not in rows_of(name)
    }
    assert misplaced == elsewhere


@pytest.mark.parametrize("suffix", ["x.css", "/x.css", "%2fx.css", ";x.css", ".css", "x.js?v=1"])
def test_row_32_no_page_answers_under_the_name_of_a_file(client: Client, config: PortalConfig, suffix: str) -> None:
    client.cookies["portal_session"] = sign_in(config, "victim").secret
    for path in ("/my-portal/", "/my-portal/session/", "/my-portal/signed-out/"):
        answer = client.get(f"{path}{suffix}")
        assert answer.status_code == 404
        assert b"victim" not in answer.content


def test_row_32_no_header_but_host_shapes_a_page(client: Client, config: PortalConfig) -> None:
    code = mint(config).secret
    plain = client.get("/my-portal/", {"session": code})
    forged = dict.fromkeys(
        ("X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-Original-URL", "X-Rewrite-URL", "Forwarded"),
        "evil.example",
    )
    answer = client.get("/my-portal/", {"session": code}, headers={**forged, "X-Forwarded-Prefix": "/evil"})
    # The same browser, so the same nonce: nothing else could differ.
    assert answer.content == plain.content
    assert "evil" not in str(answer.headers)
