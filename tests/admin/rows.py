"""What the tests of sessions, root keys and events share: operators with few rights, and pages read as people read them."""

from __future__ import annotations

import re
from html import unescape

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

SESSIONS = "/admin/portal/portalsession/"
ROOT_KEYS = "/admin/portal/rootkey/"
EVENTS = "/admin/portal/portalevent/"
KEYS = "/admin/portal_keys/apikey/"


def staff(*codenames: str) -> Client:
    """Return a browser of a staff member who has these permissions and no others."""
    user = get_user_model().objects.create_user("bob", is_staff=True)
    apps = ("portal", "portal_keys")
    permissions = Permission.objects.filter(codename__in=codenames, content_type__app_label__in=apps)
    assert len(permissions) == len(codenames)
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


def text(response) -> str:
    """Return the page's main part as text, with single spaces."""
    main = response.content.decode().partition('<main id="content-start"')[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def cells(response, column: str) -> list[str]:
    """Return what the list shows in one column, top down."""
    found = re.findall(rf'<t[dh] class="field-{column}[^"]*">(.*?)</t[dh]>', response.content.decode(), re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in found]


def address(response, link: str) -> str:
    """Return where the link with this text in the page's main part leads."""
    page = response.content.decode().partition('<main id="content-start"')[2]
    found = re.search(rf'<a href="([^"]*)"[^>]*>\s*{re.escape(link)}\s*</a>', page)
    assert found, f"no link {link!r}"
    return unescape(found[1])


def hidden(response) -> dict[str, str]:
    """Return the hidden values of the page's form, without Django's own token."""
    page = response.content.decode().partition('<main id="content-start"')[2]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def assert_strict(response) -> None:
    """Hold the page to a policy without inline scripts, styles and handlers."""
    page = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", page)
