"""What the address of a list may ask (security requirement 7): no list of ours is a search for a hash."""

from __future__ import annotations

import pytest
from django.contrib.admin import site
from django.urls import reverse

from tests.factories import issue_root_key

from .rows import ROOT_KEYS, cells

pytestmark = pytest.mark.django_db

LISTS = [model for model in site._registry if model._meta.app_label.startswith("portal")]


def path(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_these_are_all():
    assert {model.__name__ for model in LISTS} == {"ApiKey", "PortalConfig", "PortalEvent", "PortalSession", "RootKey"}


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_row_7_no_column_can_be_searched(operator, model):
    for field in model._meta.concrete_fields:
        if field.name != "enabled":
            for lookup in ("startswith", "regex", "gt", "isnull"):
                answer = operator.get(path(model), {f"{field.name}__{lookup}": "1"})
                assert answer.status_code == 400, (field.name, lookup)


@pytest.mark.parametrize("column", ["key_hash", "previous_key_hash", "sessions__token_hash"])
def test_row_7_nor_compared(operator, column):
    assert operator.get(ROOT_KEYS, {column: "x"}).status_code == 400


def test_row_7_what_a_filter_offers_can(operator):
    off, _ = issue_root_key("Off")
    issue_root_key("On")
    off.disable()
    assert cells(operator.get(ROOT_KEYS, {"enabled__exact": "0"}), "name") == ["Off"]
    assert cells(operator.get(ROOT_KEYS, {"q": "On"}), "name") == ["On"]
