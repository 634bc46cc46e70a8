"""The how-to pages, followed to the letter from where the tutorial ends."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.docs.follower import Follower
from tests.projects import ROOT

PROBLEMS = (
    "Use a port from 1 to 65535.",
    "Use at most 500 characters.",
    "This must not have line breaks or other control characters.",
)
#: Has the forms of the admin refuse what :data:`PROBLEMS` are about.
WRONG = """
from django.core.exceptions import ValidationError
from django.utils import translation
from portal.admin.fields import OriginsField
from portal.contrib.keys.admin.forms import CreateKeyForm
from portal.models import PortalConfig

translation.activate("de")
print(CreateKeyForm({"name": "a\\u202eb"}).errors["name"])
for refuse in (lambda: OriginsField().clean("https://a:0"), PortalConfig(return_url="x" * 501).clean):
    try:
        refuse()
    except ValidationError as error:
        print(error.messages)
"""


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


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext")
def test_translate(follower: Follower) -> None:
    # A copy: makemessages puts files of its own beside the templates for a moment, which other tests would find.
    shutil.copytree(ROOT / "portal", follower.folder / "installed/portal", ignore=shutil.ignore_patterns("__pycache__"))
    follower.environment["PYTHONPATH"] = str(follower.folder / "installed")
    follower.follow("how-to/translate.md")
    assert follower.left == []
    follower.run("curl -s -H 'Accept-Language: de' http://127.0.0.1:8000/portal/my-portal/signed-out/")
    assert "Sie sind abgemeldet" in follower.said
    # Texts of modules that know no framework: they are in the catalog, and the admin's sentences have them translated.
    catalog = follower.path("portal-locale/de/LC_MESSAGES/django.po")
    text = catalog.read_text()
    for number, problem in enumerate(PROBLEMS):
        assert f'msgid "{problem}"\nmsgstr ""' in text
        text = text.replace(f'msgid "{problem}"\nmsgstr ""', f'msgid "{problem}"\nmsgstr "Nummer {number}."')
    catalog.write_text(text)
    follower.run(f"python manage.py compilemessages --locale de\npython manage.py shell <<'EOF'\n{WRONG}EOF\n")
    for number in range(len(PROBLEMS)):
        assert f"Nummer {number}." in follower.said
