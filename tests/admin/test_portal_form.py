"""Making and changing portals in the admin."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry

from portal.models import PortalConfig, PortalEvent
from tests.admin.forms import shown, submit
from tests.factories import PortalConfigFactory, mint, sign_in

pytestmark = pytest.mark.django_db

ADD = "/admin/portal/portalconfig/add/"
LIST = "/admin/portal/portalconfig/"


def change_url(config):
    return f"/admin/portal/portalconfig/{config.pk}/change/"


def errors(response):
    """Return the messages beside the fields."""
    assert response.status_code == 200
    lists = re.findall(r'<ul class="errorlist[^"]*"[^>]*>(.*?)</ul>', response.content.decode(), re.DOTALL)
    return [unescape(text) for text in re.findall(r"<li>(.*?)</li>", "".join(lists), re.DOTALL)]


def stored(config):
    return PortalConfig.objects.get(pk=config.pk)


def operators(kind):
    """Return the operator's events of a kind."""
    return PortalEvent.objects.filter(kind=kind, actor_kind="operator", actor_id="ada", address="127.0.0.1")


def test_make_a_portal(operator):
    answer = submit(
        operator,
        ADD,
        slug="my-portal",
        display_name="Northwind Maps",
        keyspace_id="ks_1",
        primary_color="#2563eb",
        return_url="https://app.example.com/settings",
        return_origins="https://app.example.com\r\n\r\n http://localhost:3000 \r\n",
        allowed_origins="HTTPS://Shop.Example.com:443/\r\nhttps://shop.example.com",
        extra_capabilities=["keys:update", "keys:create"],
        support_url="mailto:help@example.com",
        locale="de",
    )
    config = PortalConfig.objects.get()
    assert answer.headers["Location"] == LIST
    assert config.return_origins == ["https://app.example.com", "http://localhost:3000"]
    assert config.allowed_origins == ["https://shop.example.com"]
    assert config.frame_ancestors == []
    assert config.extra_capabilities == ["keys:create", "keys:update"]
    assert (config.slug, config.enabled, config.primary_color) == ("my-portal", True, "#2563eb")
    assert (config.show_powered_by, config.support_url, config.locale) == (True, "mailto:help@example.com", "de")
    assert operators("portal.created").get().portal_id == config.public_id
    assert PortalEvent.objects.count() == 1


def test_a_new_portal_may_be_closed(operator):
    submit(operator, ADD, slug="my-portal", enabled=None)
    assert PortalConfig.objects.get().enabled is False


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("slug", "My Portal", "Use 3 to 64 lowercase letters, digits and single hyphens"),
        ("slug", "admin", "This word is reserved"),
        ("primary_color", "blue", "Write the color as # and six hexadecimal digits"),
        ("return_url", "https://evil.example/", "Use a URL whose origin"),
        ("logo_url", "http://cdn.example.com/logo.png", "Use https."),
        (
            "return_origins",
            "https://app.example.com\r\n\r\nshop.example.com",
            "Line 3, “shop.example.com”: Start with https:// and a host name, without a user name or password. "
            "Write: https://shop.example.com",
        ),
        (
            "allowed_origins",
            "https://app.example.com/settings",
            "Line 1, “https://app.example.com/settings”: Give the origin only: scheme, host and port, without a path. "
            "Write: https://app.example.com",
        ),
        (
            "frame_ancestors",
            "http://app.example.com:8000/",
            "Line 1, “http://app.example.com:8000/”: Use https. Plain http is for this machine only "
            "(localhost, 127.0.0.1). Write: https://app.example.com:8000",
        ),
        (
            "allowed_origins",
            "http://localhost:3000/path",
            "Line 1, “http://localhost:3000/path”: Give the origin only: scheme, host and port, without a path. "
            "Write: http://localhost:3000",
        ),
        ("allowed_origins", "*", "Line 1, “*”: Start with https:// and a host name"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_and_how_to_write_it(operator, field, value, message):
    answer = submit(operator, ADD, **{"slug": "my-portal", field: value})
    (found,) = errors(answer)
    assert found.startswith(message)
    assert shown(answer)[field] == [value]
    assert not PortalConfig.objects.exists()


def test_capabilities_that_do_not_exist(operator):
    answer = submit(operator, ADD, slug="my-portal", extra_capabilities=["keys:fly"])
    assert errors(answer) == ["Select a valid choice. keys:fly is not one of the available choices."]


def test_each_wrong_line_has_its_own_message(operator):
    text = "https://app.example.com\r\nftp://x\r\n<script>alert(1)</script>"
    answer = submit(operator, ADD, slug="my-portal", return_origins=text)
    assert [message.partition(":")[0] for message in errors(answer)] == [
        "Line 2, “ftp",
        "Line 3, “<script>alert(1)</script>”",
    ]
    assert "<script>alert" not in answer.content.decode()
    assert not PortalConfig.objects.exists()


def test_a_slug_that_is_taken(operator, config):
    assert errors(submit(operator, ADD, slug="my-portal")) == [
        "A portal with this slug exists already. Choose another slug."
    ]


def test_only_what_changed_is_written_and_recorded(operator, config):
    before = stored(config)
    answer = submit(operator, change_url(config), display_name="Southwind", return_origins="")
    # The return URL's origin would no longer be listed.
    assert errors(answer)[0].startswith("Use a URL whose origin")
    assert stored(config).display_name == "Northwind Maps"
    answer = submit(operator, change_url(config), display_name="Southwind")
    assert answer.status_code == 302
    assert stored(config).display_name == "Southwind"
    assert stored(config).updated_at > before.updated_at
    assert operators("portal.changed").get().detail == {"slug": "my-portal", "fields": ["display_name"]}


def test_saving_without_a_change_writes_nothing(operator, config):
    PortalEvent.objects.all().delete()
    before = stored(config)
    submit(operator, change_url(config))
    assert stored(config).updated_at == before.updated_at
    assert not PortalEvent.objects.exists()


def test_two_operators_do_not_overwrite_each_other(operator, config):
    """The first one opened the form before the second one saved, and touched other fields."""
    url = change_url(config)
    opened = shown(operator.get(url))
    submit(
        operator,
        url,
        display_name="Second",
        primary_color="#2563eb",
        allowed_origins="https://second.example.com",
        show_powered_by=None,
    )
    refused = submit(operator, url, opened, support_url="help", locale="de")
    assert len(errors(refused)) == 1
    submit(operator, url, shown(refused), support_url="https://example.com/help")
    config = stored(config)
    assert (config.support_url, config.locale) == ("https://example.com/help", "de")
    assert (config.display_name, config.primary_color) == ("Second", "#2563eb")
    assert config.allowed_origins == ["https://second.example.com"]
    assert config.show_powered_by is False


def test_what_somebody_else_saved_is_what_the_input_is_checked_with(operator, config):
    url = change_url(config)
    opened = shown(operator.get(url))
    submit(operator, url, return_url="", return_origins="https://other.example.com")
    answer = submit(operator, url, opened, return_url="https://app.example.com/elsewhere")
    assert errors(answer)[0].startswith("Use a URL whose origin")
    assert stored(config).return_url == ""


def test_a_form_without_what_the_page_showed_counts_in_full(operator, config):
    """A script that posts the fields alone."""
    form = {
        **{"slug": "my-portal", "enabled": "on", "display_name": "", "return_origins": ""},
        **{"key_prefix": "nw", "key_default_days": 30, "key_grace_periods": ["0"]},
    }
    assert operator.post(change_url(config), form).status_code == 302
    config = stored(config)
    assert (config.display_name, config.return_url, config.return_origins) == ("", "", [])
    assert (config.key_prefix, config.key_grace_periods) == ("nw", [0])


def test_rows_that_the_form_could_not_have_written_can_be_repaired(operator, config):
    PortalConfig.objects.filter(pk=config.pk).update(allowed_origins={"x": 1}, extra_capabilities=["keys:fly"])
    submit(operator, change_url(config), allowed_origins="https://app.example.com", extra_capabilities=["keys:create"])
    assert stored(config).allowed_origins == ["https://app.example.com"]
    assert stored(config).extra_capabilities == ["keys:create"]


def test_the_address_and_what_a_new_slug_breaks(operator, config, settings):
    page = operator.get(change_url(config)).content.decode()
    assert ">https://portal.example.com/my-portal/</a>" in page
    assert "Changing it breaks" in page
    assert "Changing it breaks" not in operator.get(ADD).content.decode()
    answer = submit(operator, change_url(config), slug="new-name")
    page = operator.get(answer.headers["Location"]).content.decode()
    assert "links that hold the old one no longer work" in page
    assert ">https://portal.example.com/new-name/</a>" in operator.get(change_url(config)).content.decode()
    assert operator.get("/my-portal/").status_code == 404


def test_the_address_shown_is_the_saved_one(operator, config):
    answer = submit(operator, change_url(config), slug="Wrong Slug", primary_color="#2563eb")
    page = answer.content.decode()
    assert ">https://portal.example.com/my-portal/</a>" in page
    assert "No color is saved yet" in page


def test_an_address_that_nothing_tells(operator, config, settings):
    settings.PORTAL = {}
    page = unescape(operator.get(change_url(config)).content.decode())
    assert 'Set PORTAL["BASE_URL"]' in page
    assert "View portal" not in page
    settings.DEBUG = True
    assert ">http://testserver/my-portal/</a>" in operator.get(change_url(config)).content.decode()


def test_the_address_in_a_host_without_pages(operator, config, settings):
    settings.PORTAL, settings.DEBUG, settings.ROOT_URLCONF = {}, True, "tests.hosts.admin_without_pages"
    assert 'Set PORTAL["BASE_URL"]' in unescape(operator.get(change_url(config)).content.decode())


def test_another_keyspace_ends_sessions_in_the_operators_name(operator, config):
    session = sign_in(config).row
    submit(operator, change_url(config), keyspace_id="ks_2")
    session.refresh_from_db()
    assert session.revoked_at is not None
    assert operators("session.revoked").get().detail == {"reason": "keyspace_changed", "count": 1}


def test_the_list(operator, config):
    PortalConfigFactory(slug="closed", display_name="Southwind", enabled=False)
    assert "closed" in operator.get(LIST).content.decode()
    assert "my-portal" not in operator.get(LIST, {"q": "southwind"}).content.decode()
    assert "closed" not in operator.get(LIST, {"enabled__exact": "1"}).content.decode()
    assert "my-portal" in operator.get(LIST, {"q": config.public_id}).content.decode()


def test_the_history_is_the_admins_own_too(operator, config):
    submit(operator, change_url(config), display_name="Southwind")
    assert LogEntry.objects.get().get_change_message() == "Changed Display name."
    assert operator.get(f"{LIST}{config.pk}/history/").status_code == 200


def test_a_portal_that_is_not_there(operator, config):
    for page in ("preview", "guide", "disable"):
        assert operator.get(f"{LIST}0/{page}/").status_code == 404
    assert operator.get(f"{LIST}0/change/").status_code == 302


def test_sessions_do_not_end_by_other_changes(operator, config):
    session = mint(config).row
    submit(operator, change_url(config), display_name="Southwind", slug="other", primary_color="#ff0000")
    session.refresh_from_db()
    assert session.revoked_at is None
