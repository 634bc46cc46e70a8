"""What the children of a race do: each function prepares one call and returns the call. HTTP in, HTTP out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.test import Client

from portal.conf import portal_settings
from tests.races.crew import Call

NONCE = "__Host-portal_nonce"

_FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, as far as races look at it.

    ``error`` is the last segment of the error's type; ``secret`` what a success handed out: code, token, cookie or key.
    """

    status: int
    error: str = ""
    secret: str = ""
    retry_after: str = ""

    @property
    def outcome(self) -> tuple[int, str]:
        return self.status, self.error


@dataclass(frozen=True, slots=True)
class Form:
    """The landing page's form in one browser: what it posts, and the nonce that the browser's cookie holds."""

    code: str
    form_token: str
    nonce: str


def post(operation: str, body: dict[str, Any], *, bearer: str = "", request_id: str = "") -> Answer:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    if request_id:
        headers["Idempotency-Key"] = request_id
    response = _browser().post(f"/v2/portal.{operation}", body, content_type="application/json", headers=headers)
    content = response.json()
    error = content.get("error", {}).get("type", "").rpartition("/")[2]
    data = content.get("data", {})
    secret = data.get("token") or data.get("sessionId") or data.get("key") or ""
    return Answer(response.status_code, error, secret, response.get("Retry-After", ""))


def exchange_now(code: str) -> Answer:
    return post("exchangeSession", {"sessionId": code})


def mint_now(slug: str, root_key: str) -> Answer:
    body = {"slug": slug, "externalId": "user_123", "permissions": ["api.*.read_key", "keys:create"]}
    return post("createSession", body, bearer=root_key)


def session_now(token: str) -> Answer:
    return post("getSession", {}, bearer=token)


def exchange(code: str) -> Callable[[], Answer]:
    """Prepare the JSON exchange of ``code``."""
    return partial(exchange_now, code)


def enter(slug: str, code: str, *, held: str = "") -> Callable[[], Answer]:
    """Open the landing page in a browser of its own and prepare the form's POST.

    :param held: the token of a session that the browser's cookie holds already.
    """
    return submit(slug, open_form(slug, code), held=held)


def submit(slug: str, form: Form, *, held: str = "") -> Callable[[], Answer]:
    """Prepare the form's POST in the browser in which the form was opened."""
    browser = _browser()
    browser.cookies[NONCE] = form.nonce
    if held:
        browser.cookies[portal_settings.COOKIE_NAME] = held
    body = {"code": form.code, "form_token": form.form_token}
    return lambda: _page_answer(browser.post(f"/{slug}/enter/", body, secure=True))


def open_form(slug: str, code: str) -> Form:
    browser = _browser()
    response = browser.get(f"/{slug}/", {"session": code}, secure=True)
    found = _FORM_TOKEN.search(response.content.decode())
    assert found, f"The landing page answered {response.status_code} and has no form."
    return Form(code, found[1], browser.cookies[NONCE].value)


def mint(slug: str, root_key: str) -> Callable[[], Answer]:
    """Prepare one mint."""
    return partial(mint_now, slug, root_key)


def do(action: Callable[[], None]) -> Callable[[], None]:
    """Prepare something that is not a request."""
    return action


def in_turn(calls: Sequence[Call]) -> Callable[[], list[Any]]:
    """Prepare several calls that one caller makes one after the other."""
    prepared = [call() for call in calls]
    return lambda: [start() for start in prepared]


def _browser() -> Client:
    return Client(raise_request_exception=False)


def _page_answer(response: HttpResponse) -> Answer:
    cookie = response.cookies.get(portal_settings.COOKIE_NAME)
    secret = cookie.value if cookie else ""
    return Answer(response.status_code, secret=secret, retry_after=response.get("Retry-After", ""))
