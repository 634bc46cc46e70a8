"""A host's product on an origin of its own, and a stranger's pages: ``python product.py PORT PORTAL_URL SLUG``.

Everything that decides about the Referer is as startproject writes it: SecurityMiddleware sends Referrer-Policy same-origin.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

_HEAD = '<!doctype html><html lang="en"><title>{}</title><link rel="icon" href="data:,">'
#: What a stranger's page does with the browser of whoever opens it.
PUSHES = {
    "assign": "<p>Wait …</p><script>location.assign(new URLSearchParams(location.search).get('to'))</script>",
    "click": '<a id="a" href="{to}">Win a prize</a><script>document.getElementById("a").click()</script>',
    "refresh": '<meta http-equiv="refresh" content="0;url={to}"><p>Wait …</p>',
    "post": '<form id="f" method="post" action="{to}"><input type="hidden" name="code" value="{code}"></form>'
    '<script>document.getElementById("f").submit()</script>',
    "prefetch": '<link rel="prefetch" href="{to}"><a href="{to}">Manage API keys</a>',
}


def mint(user: str) -> str:
    """Ask the portal for a link, as any backend would."""
    _, _, portal, slug = sys.argv
    body = {"slug": slug, "externalId": user, "permissions": ["api.*.read_key"]}
    headers = {"Authorization": f"Bearer {os.environ['ROOT_KEY']}", "Content-Type": "application/json"}
    request = Request(f"{portal}/v2/portal.createSession", json.dumps(body).encode(), headers)
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        return str(json.load(answer)["data"]["url"])


def open_portal(request: HttpRequest) -> HttpResponse:
    """Redirect the product's user into the portal, with or without the line that the documentation asks for."""
    response = HttpResponseRedirect(mint(request.GET["user"]))
    if "documented" in request.GET:
        response["Referrer-Policy"] = "strict-origin"
    return response


def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the ways into the portal."""
    to = f"/open/?{request.META['QUERY_STRING']}"
    return _page(
        request,
        "Developer settings",
        format_html(
            '<form method="post" action="{to}"><input type="hidden" name="csrfmiddlewaretoken" value="{csrf}">'
            '<button>Manage API keys</button></form><p><a href="{to}">Keys</a></p>'
            '<p><a href="{to}" referrerpolicy="strict-origin">Keys, with a policy</a></p>',
            to=to,
            csrf=get_token(request),
        ),
    )


def push(request: HttpRequest) -> HttpResponse:
    """Send whoever opens this page to ``to``."""
    how, to, code = (request.GET.get(name, "") for name in ("how", "to", "code"))
    return _page(request, "Win a prize", format_html(PUSHES[how], to=to, code=code))


def _page(request: HttpRequest, title: str, body: SafeString) -> HttpResponse:
    response = HttpResponse(format_html(_HEAD + "<h1>{}</h1>{}", title, title, body))
    if policy := request.GET.get("policy"):
        response["Referrer-Policy"] = policy
    return response


urlpatterns = [path("", settings_page), path("open/", open_portal), path("push/", push)]

if __name__ == "__main__":
    settings.configure(
        SECRET_KEY="the product's own",
        DEBUG=True,
        ALLOWED_HOSTS=[".localhost", "127.0.0.1"],
        ROOT_URLCONF=__name__,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    )
    execute_from_command_line(["product", "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{sys.argv[1]}"])
