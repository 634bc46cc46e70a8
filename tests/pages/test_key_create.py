"""Creating a key (ui-spec 2.4, Create; 2.6), the same for every store."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from portal import clock
from portal.models import PortalEvent
from tests import doubles
from tests.factories import mint, sign_in
from tests.pages.flow import enter, heading
from tests.pages.key_flow import (
    Puzzled,
    ReadOnly,
    Secretive,
    Strict,
    WithoutPermissions,
    buttons_of,
    form_of,
    send,
    stored,
    texts,
    use_store,
)
from tests.pages.shelf import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store", "signed_in")]

NEW = "/my-portal/keys/new/"
NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def noon():
    """Let it be noon; the session was made for that time."""
    with clock.using(lambda: NOON):
        yield


def choices(answer, name="expires"):
    return re.findall(rf'type="(?:radio|checkbox)" name="{name}" value="([^"]*)"', answer.content.decode())


def test_the_form_offers_what_the_portal_allows(client, config):
    answer = client.get(NEW)
    assert (answer.status_code, heading(answer)) == (200, "Create a key")
    assert choices(answer) == ["30", "90", "365", "date"]
    assert form_of(answer)["expires"] == ["90"]
    assert form_of(answer)["name"] == [""]
    assert choices(answer, "permissions") == []
    for words in (
        "For example: Production server.",
        "A shorter life limits the damage if a key leaks.",
        "The key ends at 23:59 UTC on that day.",
    ):
        assert words in texts(answer)
    assert 'maxlength="100"' in texts(answer)
    assert 'autocomplete="off"' in texts(answer)
    assert "novalidate" in texts(answer)
    assert "autofocus" not in texts(answer)


@pytest.mark.parametrize(
    ("policy", "offered", "chosen"),
    [
        ({"key_longest_days": 60, "key_default_days": 30}, ["30", "date"], "30"),
        ({"key_longest_days": None, "key_never_expires": True}, ["30", "90", "365", "date", "never"], "90"),
        ({"key_longest_days": None, "key_default_days": 730}, ["30", "90", "365", "730", "date"], "730"),
        # The end of a day within one day from now is always later than that.
        ({"key_longest_days": 1, "key_default_days": 1}, ["1"], "1"),
    ],
)
def test_the_operators_lives(client, config, policy, offered, chosen):
    vars(config).update(policy)
    config.save()
    answer = client.get(NEW)
    assert choices(answer) == offered
    assert form_of(answer)["expires"] == [chosen]
    assert ('type="date"' in texts(answer)) == ("date" in offered)


@pytest.mark.parametrize(("choice", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_key_ends_after_the_chosen_life(client, config, choice, days):
    before = clock.now()
    answer = send(client, NEW, name="  Production server ", expires=choice)
    assert answer.status_code == 200
    (key,) = stored(config)
    assert key.name == "Production server"
    assert before <= key.expires_at - timedelta(days=days) <= clock.now()
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.KEY_CREATED)
    assert (event.actor_id, event.external_id, event.detail["key_id"]) == ("user_123", "user_123", key.id)


def test_a_key_ends_with_the_chosen_day(client, config):
    day = clock.now().date() + timedelta(days=10)
    send(client, NEW, name="Production server", expires="date", date=day.isoformat())
    assert stored(config)[0].expires_at == datetime(day.year, day.month, day.day, 23, 59, 59, 999000, tzinfo=UTC)


def test_a_key_that_never_ends(client, config):
    assert send(client, NEW, name="One", expires="never").status_code == 422
    config.key_never_expires = True
    config.save()
    send(client, NEW, name="One", expires="never")
    assert stored(config)[0].expires_at is None


def test_the_days_that_can_be_chosen(client, config, noon):
    config.key_longest_days, config.key_default_days = 10, 10
    config.save()
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.get(NEW)
    assert 'min="2026-05-21" max="2026-05-29"' in texts(answer)
    for day, message in (
        ("2026-05-20", "Enter a date after 20 May 2026"),
        ("", "Enter a date after 20 May 2026"),
        ("tomorrow", "Enter a date after 20 May 2026"),
        ("2026-05-30", "Date must be 29 May 2026 or earlier"),
        ("9999-12-31", "Date must be 29 May 2026 or earlier"),
    ):
        wrong = send(client, NEW, name="A name", expires="date", date=day)
        assert wrong.status_code == 422, day
        assert f'<a href="#id_date">{message}</a>' in texts(wrong)
    assert stored(config) == []
    for number, day in enumerate(("2026-05-21", "2026-05-29")):
        assert send(client, NEW, name=f"Key {number}", expires="date", date=day).status_code == 200


def test_on_the_last_moment_of_a_day_the_last_day_is_whole(client, config):
    config.key_longest_days, config.key_default_days = 1, 1
    config.save()
    last = datetime(2026, 5, 20, 23, 59, 59, 999000, tzinfo=UTC)
    with clock.using(lambda: last):
        client.cookies["portal_session"] = sign_in(config).secret
        assert 'min="2026-05-21" max="2026-05-21"' in texts(client.get(NEW))


@pytest.mark.parametrize("date", ["2027-01-01", "2020-02-02", "nonsense"])
def test_a_date_beside_another_choice_is_asked_about(client, config, date):
    answer = send(client, NEW, name="Production server", expires="90", date=date)
    assert answer.status_code == 422
    assert '<a href="#id_date">Choose “On a date”, or empty the date.</a>' in texts(answer)
    assert texts(answer).count("id_date_error") == 2
    # Nothing of it is lost, and either answer does.
    kept = form_of(answer)
    assert (kept["name"], kept["expires"], kept["date"]) == (["Production server"], ["90"], [date])
    assert stored(config) == []
    assert send(client, NEW, kept, date="").status_code == 200


def test_without_a_choice_the_choice_is_what_is_missing(client):
    answer = send(client, NEW, name="Production server", expires=None, date="2027-01-01")
    assert "Choose when the key expires" in texts(answer)
    assert "id_date_error" not in texts(answer)


def test_the_date_stands_right_under_its_choice(client, config):
    config.key_longest_days, config.key_never_expires = None, True
    config.save()
    html = texts(client.get(NEW))
    places = [html.index(part) for part in ('value="365"', 'value="date"', 'id="id_date"', 'value="never"')]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter a name for the key"),
        (" \t ", "Enter a name for the key"),
        ("\u200b\u200d", "Enter a name for the key"),
        ("n" * 101, "Name must be 100 characters or fewer"),
        ("a\x00b", "Name must not have control characters"),
        ("a\nb", "Name must not have control characters"),
        ("a\u2028b", "Name must not have control characters"),
        ("a\u202eb", "Name must not have control characters"),
        ("a\u200bb", "Name must not have control characters"),
        ("\u3164", "Name must not have control characters"),
        ("a\u200fb", "Name must not have control characters"),
    ],
)
def test_names_that_cannot_be(client, config, name, message):
    answer = send(client, NEW, name=name)
    assert answer.status_code == 422
    assert f'<a href="#id_name">{message}</a>' in texts(answer)
    assert f'id="id_name_error">{message}</p>' in texts(answer)
    assert stored(config) == []


@pytest.mark.parametrize("name", ["x", "n" * 100, "😀", "<b>&amp;</b>", "שרת", "می\u200cخواهم", "👩\u200d💻"])
def test_names_that_can_be(client, config, name):
    answer = send(client, NEW, name=name)
    assert answer.status_code == 200
    assert stored(config)[0].name == name
    assert f"<bdi>{name}</bdi>" in texts(answer)
    assert "<b>&amp;</b>" not in answer.content.decode()


def test_what_is_wrong_is_said_in_the_title_first_and_at_the_field(client, config):
    config.key_permissions = ["maps.read", "maps.write"]
    config.save()
    answer = send(client, NEW, name="", expires="date", date="2020-02-02", permissions=["maps.write"])
    html = texts(answer)
    assert answer.status_code == 422
    assert "<title>Error: Create a key – Northwind Maps</title>" in html
    main = html.index("<main")
    assert main < html.index('role="alert"') < html.index("There is a problem") < html.index("<h1")
    assert 'aria-invalid="true" aria-describedby="id_name_helptext id_name_error"' in html
    # The input is kept.
    kept = form_of(answer)
    assert (kept["expires"], kept["date"], kept["permissions"]) == (["date"], ["2020-02-02"], ["maps.write"])
    # Mended, it makes a key: it is still the same form.
    assert send(client, NEW, kept, name="Production server", expires="30", date="").status_code == 200


def test_an_end_has_to_be_chosen(client, config):
    for wrong in (None, "", "7", "keep", "-1"):
        answer = send(client, NEW, name="Production server", expires=wrong)
        assert answer.status_code == 422
        assert '<a href="#id_expires_0">Choose when the key expires</a>' in texts(answer)
        assert 'role="radiogroup" aria-invalid="true" aria-describedby="id_expires_helptext id_expires_error"' in texts(
            answer
        )
    assert stored(config) == []


def test_permissions_are_those_that_the_operator_offers(client, config):
    config.key_permissions, config.key_default_permissions = ["maps.read", "maps.write", "x"], ["maps.read"]
    config.save()
    answer = client.get(NEW)
    assert choices(answer, "permissions") == ["maps.read", "maps.write", "x"]
    assert form_of(answer)["permissions"] == ["maps.read"]
    wrong = send(client, NEW, name="One", permissions=["admin"])
    assert wrong.status_code == 422
    assert '<a href="#id_permissions_0">Choose from the permissions below</a>' in texts(wrong)
    send(client, NEW, name="One", permissions=["x", "maps.write"])
    send(client, NEW, name="Two", permissions=None)
    assert {key.name: set(key.permissions) for key in stored(config)} == {"One": {"maps.write", "x"}, "Two": set()}


def test_a_store_without_permissions_is_given_none(client, config, settings):
    use_store(settings, WithoutPermissions)
    config.key_permissions = config.key_default_permissions = ["maps.read"]
    config.save()
    assert choices(client.get(NEW), "permissions") == []
    send(client, NEW, name="One")
    assert stored(config)[0].permissions == ()


def test_a_name_that_is_taken(client, config):
    put(config, "CI <runner>")
    put(config, "Theirs", external_id="user_456")
    answer = send(client, NEW, name="CI <runner>")
    assert answer.status_code == 422
    assert 'id="id_name_error">You already have a key called “CI <runner>”</p>' in texts(answer)
    assert "CI <runner>" not in answer.content.decode()
    # The form is still good for one key.
    assert send(client, NEW, form_of(answer), name="Theirs").status_code == 200


@pytest.fixture
def limit(config):
    """Return a function that sets how many keys a user may have."""

    def set_limit(number):
        config.key_limit = number
        config.save()

    return set_limit


@pytest.mark.parametrize("how_many", [1, 9])
def test_at_most_eight_queries_however_many_keys(client, config, each_store, django_assert_max_num_queries, how_many):
    for number in range(how_many):
        put(config, f"Key {number}", grace=timedelta(hours=1))
    with django_assert_max_num_queries(8):
        assert client.get(NEW).status_code == 200


def test_where_the_list_is_full_there_is_no_form(client, config, limit):
    limit(2)
    put(config, "One")
    assert form_of(client.get(NEW))["name"] == [""]
    put(config, "Theirs", external_id="user_456")
    assert form_of(client.get(NEW))["name"] == [""]
    put(config, "Two", enabled=False)
    answer = client.get(NEW)
    assert (answer.status_code, heading(answer)) == (409, "Create a key")
    assert "You have 2 of 2 keys. Revoke one to create another." in texts(answer)
    assert re.search(r'href="/my-portal/keys/"><span>Go to your keys<', texts(answer))
    assert "<form" not in re.search(r"<main.*</main>", texts(answer), re.DOTALL)[0]


@pytest.mark.parametrize(("number", "words"), [(1, "You have 2 keys; the limit is 1."), (None, "")])
def test_a_limit_that_came_later_and_none(client, config, limit, number, words):
    put(config, "One")
    put(config, "Two")
    limit(number)
    answer = client.get(NEW)
    assert answer.status_code == (409 if words else 200)
    assert words in texts(answer)


def test_who_may_not_see_keys_is_not_told_how_many_there_are(client, config, limit):
    limit(1)
    put(config, "One")
    client.cookies["portal_session"] = sign_in(config, granted=["keys:create"]).secret
    assert form_of(client.get(NEW))["name"] == [""]


def test_a_form_that_was_open_when_the_list_became_full(client, config, limit):
    limit(2)
    put(config, "One")
    form = form_of(client.get(NEW))
    put(config, "Two", enabled=False)
    answer = send(client, NEW, form, name="Three")
    assert answer.status_code == 409
    html = texts(answer)
    assert "<title>Error: Create a key – Northwind Maps</title>" in html
    assert "<li>You have 2 of 2 keys. Revoke one to create another.</li>" in html
    assert '<a href="/my-portal/keys/">Go to your keys</a>' in html
    assert form_of(answer)["name"] == ["Three"]


def test_the_form_makes_one_key(client, config):
    form = {**form_of(client.get(NEW)), "name": "Production server"}
    assert client.post(NEW, form).status_code == 200
    again = client.post(NEW, form)
    assert (again.status_code, heading(again)) == (409, "This key was already shown")
    (key,) = stored(config)
    assert f'href="/my-portal/keys/{key.id}/rotate/"' in texts(again)
    assert 'href="/my-portal/keys/"' in texts(again)


def test_the_repeat_of_a_form_whose_key_is_gone(client, config):
    form = {**form_of(client.get(NEW)), "name": "Production server"}
    client.post(NEW, form)
    (key,) = stored(config)
    send(client, f"/my-portal/keys/{key.id}/revoke/", understood="on")
    again = client.post(NEW, form)
    assert again.status_code == 409
    assert "/rotate/" not in texts(again)


def test_the_repeat_in_a_session_that_cannot_see_keys(client, config):
    client.cookies["portal_session"] = sign_in(config, granted=["keys:create"]).secret
    form = {**form_of(client.get(NEW)), "name": "Production server"}
    assert client.post(NEW, form).status_code == 200
    again = client.post(NEW, form)
    assert again.status_code == 409
    assert "/rotate/" not in texts(again)


@pytest.mark.parametrize("once", [None, "", "short", "x" * 44, "-" * 43])
def test_a_form_without_its_number_makes_nothing(client, config, once):
    answer = send(client, NEW, name="Production server", request_id=once)
    assert (answer.status_code, heading(answer)) == (400, "That didn’t work")
    assert stored(config) == []


def test_each_form_has_a_number_of_its_own(client):
    assert form_of(client.get(NEW))["request_id"] != form_of(client.get(NEW))["request_id"]


def test_row_15_a_form_from_elsewhere_makes_nothing(client, config):
    form = {**form_of(client.get(NEW)), "name": "Production server"}
    evil = client.post(NEW, form, headers={"Origin": "https://evil.example"})
    assert (evil.status_code, heading(evil)) == (403, "This form is out of date")
    assert send(client, NEW, form, form_token="0" * 64).status_code == 403
    other = {**form, "form_token": form_of(client.get("/my-portal/session/"))["form_token"]}
    assert client.post(NEW, other).status_code == 403
    client.cookies["portal_session"] = sign_in(config).secret
    assert client.post(NEW, form).status_code == 403
    assert stored(config) == []


def test_without_the_capability_the_page_names_it(client, config):
    client.cookies["portal_session"] = sign_in(config, granted=["keys:read", "keys:update"]).secret
    for answer in (client.get(NEW), client.post(NEW)):
        assert (answer.status_code, heading(answer)) == (403, "You can’t use this page")
        assert "doesn’t include “Create API keys”" in texts(answer)


def test_where_the_store_cannot_there_is_no_page(client, config, settings):
    use_store(settings, ReadOnly)
    answer = client.get(NEW)
    assert (answer.status_code, heading(answer)) == (404, "Page not found")


def test_a_preview_sees_the_form_and_cannot_send_it(client, config):
    client.cookies["portal_session"] = sign_in(config, preview=True).secret
    answer = client.get(NEW)
    assert answer.status_code == 200
    assert "Changes are switched off, so there is no button here." in texts(answer)
    # Nobody fills it in first and learns then.
    first = texts(answer).index("This is a preview. You can look at this form, but not send it.")
    assert texts(answer).index("<main") < first < texts(answer).index("<h1")
    assert buttons_of(answer) == 0
    assert "Create key" not in texts(answer)
    refused = send(client, NEW, form_of(answer), name="Production server")
    assert (refused.status_code, heading(refused)) == (403, "Changes are switched off")
    assert stored(config) == []


def test_a_form_sent_after_the_session_ended_was_not_saved(client, config):
    enter(client, mint(config).secret)
    form = {**form_of(client.get(NEW)), "name": "Production server"}
    later = clock.now() + timedelta(days=2)
    with clock.using(lambda: later):
        answer = client.post(NEW, form)
    assert (answer.status_code, heading(answer)) == (401, "Your session has ended")
    assert "Your change was not saved." in texts(answer)
    assert stored(config) == []


def test_forms_are_counted(client, config, settings):
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"page_write": "2/min"}}
    for expected in (422, 422, 429):
        answer = send(client, NEW, name="")
        assert answer.status_code == expected
    # Browsers keep what was typed; that it went nowhere, they do not know.
    assert heading(answer) == "Too many requests"
    assert "<strong>Your change was not saved.</strong>" in texts(answer)


@pytest.mark.parametrize(
    ("name", "status"), [("BrokenKeyStore", 502), ("SilentKeyStore", 503)], ids=["broken", "silent"]
)
def test_f20_a_store_that_fails_is_a_page(client, config, settings, limit, name, status):
    use_store(settings, getattr(doubles, name))
    counted = client.get(NEW)
    # Without a limit nobody asks the store how many keys there are.
    limit(None)
    for answer in (counted, send(client, NEW, name="Production server")):
        assert answer.status_code == status
        assert "Your keys keep working." in texts(answer)
        assert heading(answer) == "Your keys can’t be shown right now"


def test_what_a_store_does_not_allow_is_told_as_that(client, config, settings):
    use_store(settings, Strict)
    answer = send(client, NEW, name="Production server")
    assert (answer.status_code, heading(answer)) == (403, "This is not allowed")
    assert "Northwind Maps does not allow it. Ask Northwind Maps if you need it." in texts(answer)
    assert "preview" not in texts(answer)
    assert "paid plan" not in texts(answer)
    assert stored(config) == []


@pytest.mark.parametrize("preview", [False, True])
def test_a_store_that_shows_nothing_is_no_preview(client, config, settings, preview):
    use_store(settings, Secretive)
    client.cookies["portal_session"] = sign_in(config, preview=preview).secret
    answer = client.get("/my-portal/keys/")
    assert (answer.status_code, heading(answer)) == (403, "This is not allowed")


def test_a_refusal_that_no_page_expects_is_a_fault_of_ours(client, config, settings, caplog):
    use_store(settings, Puzzled)
    answer = send(client, NEW, name="Production server")
    assert (answer.status_code, heading(answer)) == (500, "Something went wrong on our side")
    assert "InvalidInput" in caplog.text


def test_the_addresses():
    for name in ("edit", "rotate", "revoke", "saved"):
        assert reverse(f"portal:key-{name}", args=["my-portal", "key_1"]) == f"/my-portal/keys/key_1/{name}/"
    assert reverse("portal:key-create", args=["my-portal"]) == NEW
