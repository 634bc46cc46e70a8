"""An operator in the Django admin of a host, over real connections."""

from __future__ import annotations

import re

from tests.faults.answers import LOST, Answer, assert_sober
from tests.faults.clients import Browser, cookies_of, field_of, with_secret

NAME, PASSWORD = "operator", "correct horse battery staple"

_SECRET = re.compile(r"prk_[0-9A-Za-z]{43}")


class Operator(Browser):
    """A browser that signs in to the admin. Its pages are Django's, so they have no headers of the portal's pages."""

    def sign_in(self) -> None:
        page = self.get("/admin/login/")
        csrf = field_of(page.text, "csrfmiddlewaretoken")
        fields = {"csrfmiddlewaretoken": csrf, "username": NAME, "password": PASSWORD}
        assert self.post("/admin/login/", fields).status == 302

    def hidden_fields(self, path: str) -> dict[str, str]:
        """Open a form and return what makes two sendings of it the same."""
        page = self.get(path)
        assert page.status == 200
        return {name: field_of(page.text, name) for name in ("csrfmiddlewaretoken", "request_id")}

    def _page(self, method: str, path: str, body: str = "") -> Answer:
        answer = self._send(method, path, body, self._headers(body))
        if answer.status != LOST:
            assert_sober(answer)
            self.cookies |= cookies_of(answer)
            shown = _SECRET.search(answer.text)
            answer = with_secret(answer, shown[0] if shown else "")
        self._record.note(f"{method} {path}", answer)
        return answer


def root_key_form(hidden: dict[str, str]) -> dict[str, str]:
    """Return the form of a new root key, filled in."""
    return {**hidden, "name": "Second backend", "mint": "all", "capabilities": "keys:read"}
