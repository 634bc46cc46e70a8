"""The pages about errors say what is so: examples are the live answers, commands run, the Markdown is current."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from portal import clock
from portal.contrib.keys.models import ApiKey
from portal.error_docs import DOCS
from portal.errors import CATALOGUE
from portal.keystore import get_key_store
from portal.keystore.base import NewKey, Owner
from portal.models import PortalConfig, RootKey
from portal.throttle import forget_counts
from tests import provocations
from tests.factories import issue_root_key, mint, sign_in
from tests.projects import ROOT
from tests.provocations import PROVOCATIONS, provoke

MARKDOWN = ROOT / "docs" / "reference" / "errors"
SHELL = shutil.which("sh") or "/bin/sh"


def texts() -> Iterator[tuple[str, str]]:
    for code, doc in DOCS.items():
        for text in (doc.call, doc.happened, *doc.causes, doc.fix, *doc.mistakes, *doc.values.values()):
            yield code, text


def block(code: str, language: str) -> str:
    """Return the one block of ``language`` in the page's Markdown."""
    (found,) = re.findall(rf"^```{language}\n(.*?)\n```$", (MARKDOWN / f"{code}.md").read_text(), re.M | re.S)
    return found


# Texts -----------------------------------------------------------------------------------------------------------------


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert set(DOCS) == set(CATALOGUE) == set(PROVOCATIONS)
    assert [doc.entry.status for doc in DOCS.values()] == sorted(doc.entry.status for doc in DOCS.values())
    assert {doc.entry.code: doc for doc in DOCS.values()} == DOCS


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_page_is_complete(code: str) -> None:
    doc = DOCS[code]
    assert doc.name == "err:" + ":".join(code.split("/"))
    assert doc.causes
    assert doc.mistakes
    assert "$BASE_URL" in doc.values
    assert doc.related
    assert type(doc.example) not in doc.related
    assert len(set(doc.related)) == len(doc.related)
    for text in (doc.happened, doc.fix, *doc.causes, *doc.mistakes):
        assert text[-1] == "."
    assert doc.title[-1] != "."


def test_titles_differ() -> None:
    assert len({doc.title for doc in DOCS.values()}) == len(DOCS)


def test_texts_mean_the_same_in_markdown_and_in_html() -> None:
    """Backticks are all the markup there is, and they pair."""
    for code, text in texts():
        parts = text.split("`")
        assert len(parts) % 2, (code, text)
        assert not re.search(r"[*_<>\[\]#\\]|\n", "".join(parts[::2])), (code, text)


def test_the_texts_import_no_framework() -> None:
    script = "import sys, portal.error_docs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "portal" in loaded
    assert loaded.isdisjoint({"django", "rest_framework"})


# Markdown --------------------------------------------------------------------------------------------------------------


def test_the_markdown_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else: ``python -m portal.error_docs docs/reference/errors``."""
    monkeypatch.setattr(sys, "argv", ["portal.error_docs", str(tmp_path)])
    runpy.run_module("portal.error_docs", run_name="__main__")
    written, kept = (
        {path.relative_to(folder): path.read_text() for path in folder.rglob("*.md")} for folder in (tmp_path, MARKDOWN)
    )
    assert written == kept


def test_every_link_in_the_markdown_leads_to_a_page() -> None:
    targets = []
    for path in MARKDOWN.rglob("*.md"):
        links = re.findall(r"\]\(([^)]+)\)", path.read_text())
        assert links
        targets += [(path.parent / link).resolve() for link in links]
    assert {target for target in targets if not target.is_file()} == set()
    assert set(MARKDOWN.resolve().rglob("*.md")) == set(targets)


@pytest.mark.django_db
@pytest.mark.parametrize("code", CATALOGUE)
def test_an_example_is_the_live_answer(code: str) -> None:
    answer = provoke(code)
    live, example = answer.json(), json.loads(block(code, "json"))
    assert answer.status_code == CATALOGUE[code].status
    assert set(live["meta"]) == set(example["meta"])
    assert re.fullmatch(r"req_[A-Za-z0-9]{16}", example["meta"]["requestId"])
    example["meta"] = live["meta"]
    assert example == live
    shown = dict(line.split(": ", 1) for line in block(code, "http").splitlines())
    about = ("Content-Type", "WWW-Authenticate", "Allow", "Retry-After")
    assert shown == {name: value for name, value in answer.items() if name in about or name.startswith("RateLimit")}


# Commands --------------------------------------------------------------------------------------------------------------


def make_key(config: PortalConfig) -> str:
    """Make a key of the user that the commands are about, and return its id."""
    new = NewKey("Laptop", clock.now() + timedelta(days=90))
    return get_key_store().create_key(Owner(config, "user_123"), new, request_id="a-random-uuid").key.id


#: What the root key may do beside minting.
MORE = ("portal.*.create_portal", "keys:read")


class Caller:
    """Runs a page's command in a shell that has nothing but what the page names."""

    def __init__(self, url: str) -> None:
        self.values = {
            "BASE_URL": url,
            "ROOT_KEY": issue_root_key(granted=["portal.*.create_portal_session", *MORE]).secret,
            "CODE": mint(PortalConfig.objects.get(slug="my-portal")).secret,
            "TOKEN": sign_in(PortalConfig.objects.get(slug="my-portal")).secret,
            "KEY_ID": make_key(PortalConfig.objects.get(slug="my-portal")),
        }

    def run(self, code: str, **values: str) -> dict[str, Any]:
        named = {name.removeprefix("$") for name in DOCS[code].values if name.startswith("$")}
        environment = {
            "PATH": os.environ["PATH"],
            "no_proxy": "127.0.0.1,localhost",
            **{name: value for name, value in {**self.values, **values}.items() if name in named},
        }
        done = subprocess.run(
            [SHELL, "-euc", block(code, "sh")], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def caller(transactional_db: None, live_server: Any, settings: Any, config: PortalConfig) -> Caller:
    settings.PORTAL = {"BASE_URL": live_server.url}
    return Caller(live_server.url)


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_command_succeeds(code: str, caller: Caller) -> None:
    answer = caller.run(code)
    if "health/ready" in DOCS[code].curl:
        assert answer == {"status": "ok"}
    else:
        assert set(answer) == {"meta", "data"} | ({"pagination"} if "listKeys" in DOCS[code].curl else set())


@contextmanager
def row(manager: Any, **fields: Any) -> Iterator[dict[str, str]]:
    """Within the block all rows have these values."""
    before = list(manager.values("pk", *fields))
    manager.update(**fields)
    yield {}
    for values in before:
        manager.filter(pk=values.pop("pk")).update(**values)


@contextmanager
def value(**values: str) -> Iterator[dict[str, str]]:
    """Within the block the caller has these values."""
    yield values


@contextmanager
def key_store(name: str) -> Iterator[dict[str, str]]:
    """Within the block the key store is this double."""
    with provocations.key_store(name):
        yield {}


#: What is wrong before it is fixed, where the command itself is not what was wrong.
WRONG: dict[str, Callable[[], Any]] = {
    "unkey/authentication/malformed": lambda: value(ROOT_KEY=""),
    "unkey/authentication/key_not_found": lambda: value(ROOT_KEY="prk_" + "0" * 43),
    "unkey/authentication/portal_token_missing": lambda: value(TOKEN=""),
    "unkey/authentication/portal_session_not_found": lambda: value(CODE="pst_" + "0" * 43),
    "unkey/authorization/forbidden": lambda: row(PortalConfig.objects, enabled=False),
    "unkey/authorization/insufficient_permissions": lambda: row(
        RootKey.objects, permissions=["portal.*.create_portal_session"]
    ),
    "unkey/authorization/key_disabled": lambda: row(RootKey.objects, enabled=False),
    "unkey/data/portal_config_not_found": lambda: row(PortalConfig.objects, slug="my-old-portal"),
    "unkey/data/portal_not_found": lambda: row(PortalConfig.objects, slug="my-old-portal"),
    "unkey/data/portal_already_exists": lambda: row(PortalConfig.objects, slug="another-portal"),
    "portal/keys/locked": lambda: row(ApiKey.objects, locked=True),
    "portal/keys/name_taken": lambda: row(ApiKey.objects, name="Staging server"),
    "portal/keys/store_failed": lambda: key_store("BrokenKeyStore"),
    "portal/keys/store_unavailable": lambda: key_store("SilentKeyStore"),
}


@pytest.mark.parametrize("code", WRONG)
def test_the_command_succeeds_because_of_the_fix(code: str, caller: Caller) -> None:
    with WRONG[code]() as values:
        refused = caller.run(code, **values)
    assert refused["error"]["type"].endswith(f"/{code}")
    assert "data" in caller.run(code)


def test_the_command_waits_until_the_window_is_over(caller: Caller, settings: Any) -> None:
    code = "user/too_many_requests/workspace_rate_limited"
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"create_session": "1/min"}}
    forget_counts()
    almost = datetime(2026, 11, 24, 12, 0, 58, tzinfo=UTC)
    with time_machine.travel(almost, tick=True):
        assert "data" in caller.run(code)
        assert "data" in caller.run(code)
        assert datetime.now(UTC) - almost >= timedelta(seconds=2)
