"""A host's own plain Django views (design section 4)."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.views import View

from portal.pages.access import PortalSessionMixin
from tests.factories import mint, sign_in
from tests.pages.flow import enter, heading

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/own/plain/", "/own/plain-class/"])
def test_header_and_cookie_count(client, config, path):
    token = sign_in(config).secret
    assert client.get(path, headers={"Authorization": f"Bearer {token}"}).json() == {"external_id": "user_123"}
    client.cookies["portal_session"] = token
    assert client.get(path).json() == {"external_id": "user_123"}


@pytest.mark.parametrize("path", ["/own/plain/", "/own/plain-class/"])
def test_without_a_session_the_answer_is_our_page(client, config, path):
    answer = client.get(path)
    assert answer.status_code == 401
    assert heading(answer) == "Open this page from the product that sent you"
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_who_was_inside_before_is_led_back(client, config):
    enter(client, mint(config).secret)
    del client.cookies["portal_session"]
    answer = client.get("/own/plain/")
    assert heading(answer) == "Your session has ended"
    assert b"https://app.example.com/settings?reason=session_expired" in answer.content


def test_the_hosts_csrf_check_stays_in_charge(config):
    client = Client(enforce_csrf_checks=True)
    client.cookies["portal_session"] = sign_in(config).secret
    assert client.post("/own/plain-class/").status_code == 403


class Asynchronous(PortalSessionMixin, View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


def test_an_asynchronous_class_is_refused_where_its_url_is_written():
    with pytest.raises(TypeError, match="PortalSessionMixin takes synchronous views"):
        Asynchronous.as_view()
