"""portal.testing: what a host's tests go into the portal with, and what it says when that does not work."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.test import TestCase
from django.urls import include, path
from django.views.decorators.csrf import csrf_protect

from portal.errors import InvalidInput
from portal.models import PortalEvent, PortalSession
from portal.shortcuts import create_portal_url, redirect_to_portal
from portal.testing import PortalClient, PortalClientError
from tests.factories import PortalConfigFactory, issue_root_key
from tests.hosts import views
from tests.pages.flow import heading

pytest_plugins = ["portal.testing.pytest_plugin"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]

READ = ["keys:read"]
ADA = ("my-portal", "user_123", READ)


# A host ---------------------------------------------------------------------------------------------------------------


def button(request):
    return redirect_to_portal(request, *ADA)


def pressed(request):
    return HttpResponse("No link here.")


urlpatterns = [
    path("button/", button),
    path("pressed/", pressed),
    path("elsewhere/", lambda request: redirect("/pressed/")),
    path("link.json", lambda request: JsonResponse({"url": "/"})),
    path("stream/", lambda request: StreamingHttpResponse(["<h1>", "No", "</h1>"])),
    path(
        "other-form/",
        lambda request: HttpResponse("<p>Hello</p><input name=a><h1>Search</h1><form><input name=q></form>"),
    ),
    path("plain/", views.plain),
    path("customers/", include("portal.urls")),
]


#: The paths of the POSTs that came, with their Origin and Referer.
said_origins = []


def writes_down_origins(get_response):
    said_origins.clear()

    def middleware(request):
        if request.method == "POST":
            said_origins.append((request.path, request.headers.get("Origin"), request.headers.get("Referer")))
        return get_response(request)

    return middleware


def drops_cookies(get_response):
    def middleware(request):
        response = get_response(request)
        response.cookies.pop("portal_session", None)
        return response

    return middleware


def login_wall(get_response):
    def middleware(request):
        if request.path == "/pressed/":
            return get_response(request)
        return redirect(f"/pressed/?{urlencode({'next': request.get_full_path()})}")

    return middleware


def fails_inside(get_response):
    return lambda request: (
        HttpResponse("Closed for today", status=503) if request.path.endswith("/keys/") else get_response(request)
    )


def checks_forms(get_response):
    return csrf_protect(get_response)


def refuses_writes(get_response):
    def middleware(request):
        if request.method == "POST":
            raise PermissionDenied
        return get_response(request)

    return middleware


@pytest.fixture(autouse=True)
def full(settings):
    """Serve the host of this module, whose portal is at its own address."""
    settings.ROOT_URLCONF = __name__
    settings.PORTAL = {"THROTTLE_RATES": None}


@pytest.fixture
def through(settings):
    """Return a function that puts a middleware of this module before everything else."""

    def put(middleware):
        settings.MIDDLEWARE = [f"{__name__}.{middleware.__name__}", *settings.MIDDLEWARE]

    return put


@pytest.fixture
def at_the_root(settings):
    """Let the portal have an address of its own, by https, at the root."""
    settings.ROOT_URLCONF = "tests.hosts.full"
    settings.ALLOWED_HOSTS = ["testserver", "portal.example.com"]
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": "https://portal.example.com"}


def refused(call, *arguments, **options):
    with pytest.raises(PortalClientError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# Going in -------------------------------------------------------------------------------------------------------------


def test_two_lines(portal_client):
    portal_client.enter(*ADA)
    assert portal_client.get("/plain/").json() == {"external_id": "user_123"}


def test_who_is_signed_in(portal_client):
    assert portal_client.portal_session is None
    inside = portal_client.enter(*ADA, display_name="Ada", metadata={"team": 7})
    assert heading(inside) == "API keys"
    assert inside.request["PATH_INFO"] == "/customers/my-portal/keys/"
    session = portal_client.portal_session
    assert (session.external_id, session.display_name, session.metadata) == ("user_123", "Ada", {"team": 7})
    assert session.capabilities == {"keys:read"}


def test_it_lands_where_the_link_was_made_for(portal_client):
    inside = portal_client.enter("my-portal", "user_123", ["keys:read", "keys:create"], next="keys/new/")
    assert heading(inside) == "Create a key"


def test_a_day_later_nobody_is_signed_in(portal_client):
    portal_client.enter(*ADA)
    with time_machine.travel(timedelta(hours=25)):
        assert portal_client.portal_session is None
        assert portal_client.get("/plain/").status_code == 401


def test_a_second_user_takes_the_place_of_the_first(portal_client):
    portal_client.enter(*ADA)
    portal_client.enter("my-portal", "user_456", READ)
    assert portal_client.portal_session.external_id == "user_456"
    assert PortalSession.objects.live().count() == 1


@pytest.mark.parametrize("follow", [False, True])
def test_a_link_of_the_hosts_own_view(portal_client, follow):
    inside = portal_client.follow(portal_client.get("/button/", follow=follow))
    assert heading(inside) == "API keys"
    assert portal_client.portal_session.external_id == "user_123"


def test_a_link_of_a_view_that_was_called_as_a_function(portal_client, rf):
    assert heading(portal_client.follow(button(rf.get("/button/")))) == "API keys"


def test_a_link_as_text(portal_client, rf):
    link = create_portal_url(*ADA, request=rf.get("/"))
    assert heading(portal_client.follow(link)) == "API keys"
    link = create_portal_url(*ADA, request=rf.get("/"))
    assert heading(portal_client.follow(link.removeprefix("http://testserver"))) == "API keys"


@pytest.mark.usefixtures("at_the_root")
def test_a_portal_with_an_address_of_its_own(portal_client):
    inside = portal_client.enter(*ADA)
    assert inside.wsgi_request.build_absolute_uri() == "https://portal.example.com/my-portal/keys/"
    assert portal_client.cookies["portal_session"]["secure"]
    assert "__Host-portal_nonce" in portal_client.cookies
    assert portal_client.api("listKeys")["data"] == []
    assert portal_client.get("/own/plain/").status_code == 200
    assert heading(portal_client.sign_out()) == "You are signed out"


def test_a_portal_on_a_port(portal_client, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": "http://localhost:8000/customers"}
    inside = portal_client.enter(*ADA)
    assert inside.wsgi_request.build_absolute_uri() == "http://localhost:8000/customers/my-portal/keys/"
    assert inside.wsgi_request.get_port() == "8000"


def test_a_host_that_insists_on_https(portal_client, settings):
    settings.SECURE_SSL_REDIRECT = True
    inside = portal_client.enter(*ADA)
    assert inside.wsgi_request.build_absolute_uri() == "https://testserver/customers/my-portal/keys/"
    assert inside.wsgi_request.get_port() == "443"
    assert portal_client.api("listKeys")["data"] == []


def test_a_link_by_http_is_led_to_https_as_in_a_browser(portal_client, settings, rf):
    link = create_portal_url(*ADA, request=rf.get("/"))
    settings.SECURE_SSL_REDIRECT = True
    assert portal_client.follow(link).wsgi_request.is_secure()


def test_a_client_of_another_host(settings):
    settings.ALLOWED_HOSTS = ["tenant.example.com"]
    client = PortalClient(headers={"host": "tenant.example.com"})
    assert client.enter(*ADA).wsgi_request.get_host() == "tenant.example.com"
    assert client.api("listKeys")["data"] == []


def test_a_host_of_the_pages_alone(portal_client, settings):
    settings.ROOT_URLCONF = "tests.hosts.pages_only"
    assert heading(portal_client.enter(*ADA)) == "API keys"
    assert heading(portal_client.sign_out()) == "You are signed out"
    assert "The API of the portal is not in ROOT_URLCONF" in refused(portal_client.api, "listKeys")


def test_a_host_of_the_api_alone(portal_client, settings):
    settings.ROOT_URLCONF = "tests.hosts.api_only"
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": "http://testserver"}
    assert portal_client.api("listKeys", token=portal_client.token(*ADA))["data"] == []
    assert "pages" not in refused(portal_client.api, "nothing")
    text = refused(portal_client.enter, *ADA)
    assert "http://testserver/my-portal/ with 404" in text
    assert "The pages of the portal are not in ROOT_URLCONF" in text
    assert "use token()" in text


@pytest.mark.django_db(transaction=True)
def test_a_host_with_atomic_requests(portal_client):
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        portal_client.enter(*ADA)
        assert portal_client.get("/plain/").status_code == 200
        assert heading(portal_client.sign_out()) == "You are signed out"
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False


def test_it_says_where_it_comes_from_as_a_browser_does(portal_client, through):
    through(writes_down_origins)
    portal_client.enter(*ADA)
    portal_client.api("listKeys")
    portal_client.sign_out()
    assert said_origins == [
        ("/customers/my-portal/enter/", "http://testserver", "http://testserver/customers/my-portal/"),
        ("/customers/v2/portal.listKeys", "http://testserver", None),
        ("/customers/my-portal/session/end/", "http://testserver", "http://testserver/customers/my-portal/session/"),
    ]


def test_it_is_djangos_client(portal_client, django_user_model):
    user: User = django_user_model.objects.create_user("ada")
    portal_client.force_login(user)
    portal_client.enter(*ADA)
    assert portal_client.session["_auth_user_id"] == str(user.pk)
    assert portal_client.handler.enforce_csrf_checks is False


class InDjangosTestCase(TestCase):
    client_class = PortalClient

    def test_two_lines(self):
        self.client.enter(*ADA)
        assert self.client.get("/plain/").status_code == 200


# The API --------------------------------------------------------------------------------------------------------------


def test_the_api_as_the_browsers_page_calls_it(portal_client):
    portal_client.enter("my-portal", "user_123", ["keys:read", "keys:create"])
    made = portal_client.api("createKey", {"name": "Laptop"})
    (key,) = portal_client.api("listKeys", {"limit": 1})["data"]
    assert (key["keyId"], key["name"]) == (made["data"]["keyId"], "Laptop")


def test_an_operation_by_its_full_name(portal_client):
    portal_client.enter("my-portal", "user_123", ["keys:read", "keys:create"])
    key = portal_client.api("createKey", {"name": "Laptop"})["data"]["key"]
    verifier = issue_root_key("Gateway", granted=["api.*.verify_key"]).secret
    assert portal_client.api("keys.verifyKey", {"key": key}, token=verifier)["data"]["valid"] is True


def test_a_token_leaves_the_browser_alone(portal_client):
    token = portal_client.token("my-portal", "user_456", READ, display_name="Bob")
    assert portal_client.portal_session is None
    assert portal_client.get("/plain/", headers={"Authorization": f"Bearer {token}"}).json() == {
        "external_id": "user_456"
    }
    portal_client.enter(*ADA)
    assert portal_client.api("getSession", token=token)["data"]["externalId"] == "user_456"
    assert portal_client.api("getSession")["data"]["externalId"] == "user_123"


@pytest.mark.parametrize(
    ("operation", "body", "texts"),
    [
        ("createKey", {"name": "Laptop"}, ["with 403: {", "insufficient_permissions", "permission: 'keys:create'"]),
        (
            "listkeys",
            {},
            ["portal.listkeys was answered at http://testserver/customers/v2/portal.listkeys with 404: {"],
        ),
        ("listKeys", {"limit": 0}, ["body.limit", "invalid_input"]),
    ],
)
def test_a_refusal_of_the_api_is_told(portal_client, operation, body, texts):
    portal_client.enter(*ADA)
    said = refused(portal_client.api, operation, body)
    for text in texts:
        assert text in said


def test_a_refusal_of_the_api_can_be_looked_at(portal_client):
    with pytest.raises(PortalClientError) as caught:
        portal_client.api("listKeys")
    assert caught.value.response.status_code == 401
    assert caught.value.response.json()["error"]["type"].endswith("/portal_token_missing")


def test_a_redirect_of_the_api_is_told(portal_client, through):
    through(login_wall)
    text = refused(portal_client.api, "listKeys", {"search": "private"})
    assert text.endswith("portal.listKeys with 302, a redirect to /pressed/.")


# Leaving --------------------------------------------------------------------------------------------------------------


def test_signing_out(portal_client):
    portal_client.enter(*ADA)
    assert heading(portal_client.sign_out()) == "You are signed out"
    assert portal_client.portal_session is None
    assert portal_client.get("/plain/").status_code == 401
    assert PortalEvent.objects.filter(kind="session.signed_out", external_id="user_123").exists()
    assert refused(portal_client.sign_out) == "Nobody is signed in to the portal."


@pytest.mark.parametrize(
    ("middleware", "text"),
    [
        (login_wall, "The page with “Sign out” was answered at http://testserver/pressed/ with 200"),
        (
            refuses_writes,
            "The form “Sign out” was answered at http://testserver/customers/my-portal/session/end/ with 403",
        ),
    ],
)
def test_signing_out_of_a_host_that_does_not_let_go(portal_client, through, middleware, text):
    portal_client.enter(*ADA)
    through(middleware)
    same = PortalClient()
    same.cookies = portal_client.cookies
    assert refused(same.sign_out).startswith(text)
    assert same.portal_session is not None


# What goes wrong ------------------------------------------------------------------------------------------------------


def test_an_unknown_portal(portal_client):
    for call in (portal_client.enter, portal_client.token):
        assert "There is no portal “nowhere”" in refused(call, "nowhere", "user_123", READ)


def test_a_disabled_portal(portal_client):
    PortalConfigFactory(slug="closed", enabled=False)
    for call in (portal_client.enter, portal_client.token):
        assert refused(call, "closed", "user_123", READ) == "The portal “closed” is disabled."


def test_wrong_arguments_are_named(portal_client):
    with pytest.raises(InvalidInput, match="permissions"):
        portal_client.enter("my-portal", "user_123", ["fly"])


def test_without_the_portals_urls(portal_client, settings):
    settings.ROOT_URLCONF = (path("pressed/", pressed),)
    for call in (portal_client.enter, portal_client.token):
        text = refused(call, *ADA)
        assert text.startswith("The pages of the portal are not in ROOT_URLCONF: path(")
        assert 'set PORTAL["BASE_URL"]' in text


def test_a_base_url_on_a_host_that_is_not_served(portal_client, settings, at_the_root):
    settings.ALLOWED_HOSTS = ["testserver"]
    text = refused(portal_client.enter, *ADA)
    assert "The link into the portal was answered at https://portal.example.com/my-portal/ with 400" in text
    assert "ALLOWED_HOSTS refuses portal.example.com." in text
    assert "ALLOWED_HOSTS refuses portal.example.com." in refused(portal_client.api, "listKeys")


def test_a_base_url_with_another_prefix(portal_client, settings):
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": "http://testserver/portal"}
    text = refused(portal_client.enter, *ADA)
    assert "http://testserver/portal/my-portal/ with 404: “Not Found”" in text
    assert text.endswith('ROOT_URLCONF has the portal at /customers/: does PORTAL["BASE_URL"] end in that?')


def test_a_link_to_a_portal_that_is_gone(portal_client):
    text = refused(portal_client.follow, "/customers/gone/?session=pst_x")
    assert text.endswith("http://testserver/customers/gone/ with 404: “Page not found” The address may be mistyped.")


def test_a_link_that_was_used(portal_client, rf):
    link = create_portal_url(*ADA, request=rf.get("/"))
    PortalClient().follow(link)
    text = refused(portal_client.follow, link)
    assert text == (
        "The link into the portal was answered at http://testserver/customers/my-portal/ with 401: “This link no longer "
        "works” Each link works once and only for 15 minutes. Go back to Northwind Maps to get a new one."
    )


def test_a_landing_page_that_is_sent_too_late(portal_client, rf):
    landing = portal_client.get(create_portal_url(*ADA, request=rf.get("/")))
    portal_client.enter("my-portal", "user_456", READ)
    text = refused(portal_client.follow, landing)
    assert "The landing page's form was answered at http://testserver/customers/my-portal/enter/ with 200" in text
    assert portal_client.portal_session.external_id == "user_456"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/pressed/", "http://testserver/pressed/ with 200: No link here."),
        ("/elsewhere/", "http://testserver/pressed/ with 200: No link here."),
        ("/link.json", 'http://testserver/link.json with 200: {"url": "/"}.'),
        ("/stream/", "http://testserver/stream/ with 200."),
        ("/other-form/", "http://testserver/other-form/ with 200: “Search”."),
    ],
)
def test_an_answer_that_leads_nowhere(portal_client, address, text):
    assert (
        refused(portal_client.follow, portal_client.get(address)) == f"The link into the portal was answered at {text}"
    )


def test_a_login_wall(portal_client, through):
    through(login_wall)
    text = refused(portal_client.enter, *ADA)
    assert text.endswith("http://testserver/pressed/ with 200: No link here. Redirects led there: /pressed/.")


def test_a_middleware_that_drops_the_cookie(portal_client, through):
    through(drops_cookies)
    text = refused(portal_client.enter, *ADA)
    assert text.startswith(
        "The first page inside, without the cookie portal_session, was answered at http://testserver/"
    )
    assert "/customers/my-portal/keys/ with 401: “Your session has ended”" in text
    assert "Redirects led there: /customers/my-portal/keys/." in text


def test_a_first_page_that_fails(portal_client, through):
    through(fails_inside)
    text = refused(portal_client.enter, *ADA)
    assert text.startswith(
        "The first page inside was answered at http://testserver/customers/my-portal/keys/ with 503: "
    )


def test_a_csrf_check_of_the_host_is_not_switched_off(portal_client, through):
    through(checks_forms)
    text = refused(portal_client.enter, *ADA)
    assert "The landing page's form was answered at http://testserver/customers/my-portal/enter/ with 403" in text
    assert "“Forbidden (403)” CSRF verification failed" in text
    assert portal_client.portal_session is None


def test_a_host_that_refuses_the_form(portal_client, through):
    through(refuses_writes)
    assert "my-portal/enter/ with 403: “403 Forbidden”" in refused(portal_client.enter, *ADA)
