"""A search finds the same keys in every order, in every alphabet and on both databases."""

from __future__ import annotations

import pytest

from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import KeyQuery
from tests.contrib.keys.counting import owner
from tests.contrib.keys.making import make_key

pytestmark = pytest.mark.django_db

NAMES = ("Ärger", "ärgerlich", "100 % Ä_(x)", "Жук. 1", "Arger")


@pytest.mark.parametrize("sort", ["created", "-name", "expires", "-usage"])
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ärger", {"Ärger", "ärgerlich"}),
        ("ÄRGER", {"Ärger", "ärgerlich"}),
        ("ÄrGeR", {"Ärger", "ärgerlich"}),
        ("rger", {"Ärger", "ärgerlich", "Arger"}),
        ("жуК. ", {"Жук. 1"}),
        # Nothing in it stands for something else.
        ("ж.к", set()),
        ("% ä_(X", {"100 % Ä_(x)"}),
        ("_ärger", set()),
    ],
)
def test_upper_and_lower_case_are_alike(sort, search, found):
    for name in NAMES:
        make_key(name=name)
    page = DatabaseKeyStore().list_keys(owner(), KeyQuery(search=search, sort=sort, with_counts=True))
    assert {key.name for key in page.keys} == found
    assert (page.matching, page.counts.total) == (len(found), len(NAMES))
