"""The how-to page about testing, followed to the letter from where the tutorial ends: its own tests run."""

from __future__ import annotations

from portal.testing import PortalClient
from tests.docs.follower import Follower
from tests.docs.markdown import code_spans, sections, table

PAGE = "how-to/test-your-integration.md"


def test_test_your_integration(follower: Follower) -> None:
    follower.follow(PAGE)
    assert follower.left == []


def test_it_lists_what_the_client_can_do() -> None:
    listed = {code_spans(row[0])[0].partition("(")[0] for row in table(sections(PAGE)["What the client can do"])}
    assert listed == {name for name in vars(PortalClient) if not name.startswith("_")}
