"""The how-to pages, followed to the letter from where the tutorial ends."""

from __future__ import annotations

import re

from tests.docs.follower import Follower


def test_protect_your_views(follower: Follower) -> None:
    follower.follow("how-to/protect-your-views.md")
    assert follower.left == []


def test_call_from_javascript(follower: Follower) -> None:
    follower.follow("how-to/call-from-javascript.md")
    # These two run in a browser: tests/browser/test_documentation.py.
    assert [step.language for step in follower.left] == ["js", "js"]


def test_rotate_a_root_key(follower: Follower) -> None:
    follower.follow("how-to/rotate-a-root-key.md")
    assert follower.left == []


def test_theming(follower: Follower, logo: bytes) -> None:
    for name in ("logo.png", "logo-for-dark-pages.png"):
        follower.path(name).write_bytes(logo)
    follower.follow("theming.md")
    assert follower.left == []
    follower.run("python manage.py runserver")
    follower.visitor.open(follower.here("http://127.0.0.1:8000/portal/my-portal/"))
    page = follower.visitor.html
    # After the portal's own, so that it wins.
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    assert sheets[0] == "/static/portal/portal.css"
    assert sheets[-1] == "/static/mine/portal.css"
    assert any("/theme." in sheet for sheet in sheets)
    assert len(re.findall(r'<img[^>]* src="/portal/my-portal/logo\.[0-9a-f]+\.png"', page)) == 1
    follower.run("curl -f http://127.0.0.1:8000/static/mine/portal.css")
    assert "--radius: 0" in follower.said
