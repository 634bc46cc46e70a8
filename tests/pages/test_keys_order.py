"""The keys in the order of their use: the most used first, where the store can tell it (ui-spec 2.4, Keys)."""

from __future__ import annotations

import re
from html import unescape

import pytest

from portal.authenticate import authenticate_session
from portal.contrib.keys.models import ApiKey
from portal.errors import InsufficientPermissions
from portal.keystore.actions import SessionKeys
from portal.keystore.base import KeyQuery, Outcome
from portal.keystore.listing import write_cursor
from tests.contrib.keys.counting import count
from tests.factories import ALL, sign_in
from tests.pages.flow import words
from tests.pages.shelf import put
from tests.pages.usage_doubles import TiringSortingStore
from tests.pages.usage_flow import DAY, DOWN, NOW
from tests.usage_store import BrokenSortingStore, SortingUsageStore, use, use_usage_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("afternoon", "no_key_limit", "usage_store")]

LIST = "/my-portal/keys/"
UNSORTED = f"{DOWN} They could not be sorted by use. The newest are first."


def use_database(settings):
    settings.PORTAL = {name: value for name, value in settings.PORTAL.items() if name != "KEY_STORE"}


@pytest.fixture(params=["memory", "database"])
def three(config, inside, settings, request):
    """Have three keys that were used in the order of their names, and return ``look``."""
    if request.param == "memory":
        use_usage_store(settings, SortingUsageStore)
    else:
        use_database(settings)
    for age, (name, uses, old) in enumerate((("C", 0, 0), ("A", 7, 0), ("B", 2, 99))):
        key = put(config, name, made=age * DAY)
        for moment, number in ((NOW - 30 * DAY, old), (NOW - 29 * DAY, uses // 2), (NOW, uses - uses // 2)):
            if number and request.param == "memory":
                use(config, key.id, moment, valid=0, expired=number)
            elif number:
                count(ApiKey.objects.get(public_id=key.id), moment, number, Outcome.EXPIRED)


def names_of(html):
    return re.findall(r"<bdi>([^<]*)</bdi></a><code", html)


def look(client, query=""):
    """Return the names in their order, the directions of the headings, the caption, and the heading's address."""
    html = client.get(LIST + query).content.decode()
    head = re.search(r"<thead.*?</thead>", html, re.DOTALL)[0]
    caption = words(re.search(r"<caption.*?</caption>", html, re.DOTALL)[0])
    link = re.search(r'<a href="([^"]*)">Last 30 days', head)
    return "".join(names_of(html)), re.findall(r'aria-sort="(\w+)"', head), caption, link and unescape(link[1])


def test_a_heading_sorts_down_then_up_then_newest_first(client, three):
    newest, directions, _, url = look(client)
    assert (directions, url) == ([], f"{LIST}?sort=-usage")
    first = look(client, "?sort=-usage")
    assert first == ("ABC", ["descending"], "Your API keys, most used first", f"{LIST}?sort=usage")
    second = look(client, "?sort=usage")
    assert second == ("CBA", ["ascending"], "Your API keys, least used first", LIST)
    assert look(client, "?q=&sort=-usage&status=active")[3] == f"{LIST}?status=active&sort=usage"
    assert sorted(newest) == ["A", "B", "C"]


def test_only_what_the_column_counts(client, config, inside, settings):
    use_usage_store(settings, SortingUsageStore)
    for age, (name, days, uses) in enumerate((("A", 29, 9), ("B", 0, 2), ("C", 30, 99))):
        use(config, put(config, name, made=age * DAY).id, NOW - days * DAY, valid=uses)
    assert look(client, "?sort=-usage")[0] == "ABC"
    # The column has a week then.
    settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 10 * DAY}
    html = client.get(f"{LIST}?sort=-usage").content.decode()
    assert names_of(html)[0] == "B"


def test_row_24_who_may_not_see_usage_does_not_learn_its_order(client, config, three, inside):
    newest = look(client)
    inside([one for one in ALL if one != "analytics:read"])
    names, directions, caption, link = look(client, "?sort=-usage")
    assert (names, directions, caption, link) == (*newest[:3], None)


def test_of_more_keys_than_the_store_sorts(client, config, inside, settings):
    use_usage_store(settings, SortingUsageStore)
    for number in range(4):
        use(config, put(config, f"{number}", made=number * DAY).id, NOW, valid=number)
    for query in ("", "?sort=-usage", "?sort=usage&cursor=x"):
        assert look(client, query) == ("0123", [], "Your API keys, newest first", None)
        assert DOWN not in client.get(LIST + query).content.decode()


def test_a_store_that_does_not_sort_by_it(client, config, inside):
    for name, uses in (("A", 1), ("B", 2)):
        use(config, put(config, name, made=uses * DAY).id, NOW, valid=uses)
    html = client.get(f"{LIST}?sort=-usage").content.decode()
    assert ">Last 30 days</th>" in html
    assert look(client, "?sort=-usage") == ("AB", [], "Your API keys, newest first", None)


def test_without_counts_now_it_is_the_newest(client, config, inside, settings):
    use_usage_store(settings, BrokenSortingStore)
    for age, name in enumerate("AB"):
        put(config, name, made=age * DAY)
    for query in ("?sort=-usage", "?sort=-usage&cursor=x"):
        assert look(client, query)[:3] == ("AB", [], "Your API keys, newest first")
        assert words(client.get(LIST + query).content.decode()).count(UNSORTED) == 1
    assert UNSORTED not in words(client.get(LIST).content.decode())


def test_without_the_order_nobody_waits_for_counts_as_well(client, config, inside, settings):
    store = use_usage_store(settings, TiringSortingStore)
    store.sorts = 0
    use(config, put(config, "K").id, NOW, valid=7)
    assert UNSORTED in words(client.get(f"{LIST}?sort=-usage").content.decode())
    assert store.asked == 0
    # Where nothing is to be sorted they are there.
    assert DOWN not in client.get(LIST).content.decode()
    assert store.asked == 1


@pytest.mark.parametrize(("sort", "names"), [("-usage", "ABC"), ("usage", "CBA"), ("name", "ABC"), ("-name", "CBA")])
def test_a_cursor_that_is_none_keeps_the_order(client, three, sort, names):
    assert look(client, f"?sort={sort}&cursor=x") == look(client, f"?sort={sort}")
    assert look(client, f"?sort={sort}&cursor=x")[0] == names


def test_a_page_that_is_gone_where_the_order_is_gone_as_well(client, config, inside, settings):
    store = use_usage_store(settings, TiringSortingStore)
    for age, name in enumerate("AB"):
        put(config, name, made=age * DAY)
    after_all = write_cursor(False, -1, "")
    assert "newest" not in look(client, f"?sort=-usage&cursor={after_all}")[2]
    store.sorts = 1
    assert look(client, f"?sort=-usage&cursor={after_all}")[:3] == ("AB", [], "Your API keys, newest first")
    assert store.sorts == 0


def test_pages(client, config, inside, settings):
    use_database(settings)
    for number in range(27):
        count(ApiKey.objects.get(public_id=put(config, f"Key {number:02}").id), NOW, number + 1)
    html = client.get(f"{LIST}?sort=-usage").content.decode()
    assert names_of(html)[:2] == ["Key 26", "Key 25"]
    following = unescape(re.search(r'href="([^"]*)" rel="next"', html)[1])
    assert following.startswith(f"{LIST}?sort=-usage&cursor=")
    assert names_of(client.get(following).content.decode()) == ["Key 01", "Key 00"]
    # A page that is gone gives the first.
    ApiKey.objects.filter(name__in=["Key 00", "Key 01"]).update(revoked_at=NOW)
    assert names_of(client.get(following).content.decode())[0] == "Key 26"


def test_row_24_the_order_itself_needs_the_capability(config, three):
    keys = SessionKeys(authenticate_session(sign_in(config, granted=["keys:read"]).secret), config)
    with pytest.raises(InsufficientPermissions):
        keys.list(KeyQuery(sort="usage"))
