"""What an operator allows the users of a portal to do with their keys, on the portal's form."""

from __future__ import annotations

import pytest
from django.test import override_settings

from portal.admin.periods import USUAL_GRACE_PERIODS, period
from portal.keystore import get_key_store
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from portal.models.key_policy import DEFAULT_GRACE_PERIODS
from tests.admin.forms import shown, submit
from tests.admin.rows import staff, text
from tests.admin.test_portal_form import ADD, change_url, errors, operators, stored
from tests.doubles import MEMORY
from tests.factories import sign_in

pytestmark = pytest.mark.django_db

POLICY = {
    "key_prefix": "nw_live",
    "key_default_days": "30",
    "key_longest_days": "60",
    "key_never_expires": "on",
    "key_limit": "3",
    "key_permissions": "maps.read\r\n\r\n tiles.write \r\nmaps.read",
    "key_default_permissions": "maps.read",
    "key_grace_periods": ["86400", "0"],
    "api_url": "https://api.example.com/v1",
}


def policy(config):
    return {name: getattr(config, name) for name in POLICY}


def test_a_new_portal_has_a_policy_that_works(operator):
    page = operator.get(ADD)
    assert "Keys" in text(page)
    assert "168 hours" not in text(page)
    assert [int(value) for value in shown(page)["key_grace_periods"]] == [*DEFAULT_GRACE_PERIODS]
    submit(operator, ADD, slug="my-portal")
    config = PortalConfig.objects.get()
    assert (config.key_prefix, config.key_default_days, config.key_longest_days) == ("sk", 90, 365)
    assert (config.key_limit, config.key_permissions, config.key_default_permissions) == (10, [], [])
    assert config.key_grace_periods == [*DEFAULT_GRACE_PERIODS]


def test_the_policy_is_what_the_operator_says(operator, config):
    submit(operator, change_url(config), **POLICY)
    assert policy(stored(config)) == {
        "key_prefix": "nw_live",
        "key_default_days": 30,
        "key_longest_days": 60,
        "key_never_expires": True,
        "key_limit": 3,
        "key_permissions": ["maps.read", "tiles.write"],
        "key_default_permissions": ["maps.read"],
        "key_grace_periods": [0, 86400],
        "api_url": "https://api.example.com/v1",
    }
    assert operators("portal.changed").get().detail["fields"] == sorted(POLICY)
    submit(operator, change_url(config), key_longest_days="", key_limit="")
    assert (stored(config).key_longest_days, stored(config).key_limit) == (None, None)
    # What was not touched stays, and is shown as it is.
    assert stored(config).key_permissions == ["maps.read", "tiles.write"]
    assert shown(operator.get(change_url(config)))["key_permissions"] == ["maps.read\r\ntiles.write"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("key_prefix", "prk_mine", "Use 1 to 16 lowercase letters"),
        ("key_prefix", "", "This field is required."),
        ("key_default_days", "0", "Ensure this value is greater than or equal to 1."),
        ("key_default_days", "400", "The default life is longer than the longest."),
        (
            "key_permissions",
            "maps.read\r\nmaps read\r\nand",
            "Line 2, “maps read”: use 1 to 100 letters, digits and any of _ . : * / -, for example maps.read.",
        ),
        ("key_default_permissions", "maps.write", "These are not among the permissions offered."),
        ("key_grace_periods", None, "This field is required."),
        ("key_grace_periods", ["7"], "Select a valid choice. 7 is not one of the available choices."),
        ("key_grace_periods", ["soon"], "Select a valid choice. soon is not one of the available choices."),
        ("api_url", "ftp://api.example.com", "Start with https://"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(operator, config, field, value, message):
    answer = submit(operator, change_url(config), **{field: value})
    assert errors(answer)[0].startswith(message)
    assert policy(stored(config)) == policy(config)


def test_each_wrong_permission_has_its_own_message(operator, config):
    answer = submit(operator, change_url(config), key_permissions="a b\r\nmaps.read\r\nand")
    assert [message.partition(":")[0] for message in errors(answer)] == ["Line 1, “a b”", "Line 3, “and”"]
    assert shown(answer)["key_permissions"] == ["a b\r\nmaps.read\r\nand"]


def test_a_period_that_is_not_among_the_usual_ones_can_be_kept_and_dropped(operator, config):
    PortalConfig.objects.update(key_grace_periods=[0, 90, 5400])
    page = operator.get(change_url(config))
    assert "90 seconds" in text(page)
    assert "90 minutes" in text(page)
    submit(operator, change_url(config), display_name="Southwind")
    assert stored(config).key_grace_periods == [0, 90, 5400]
    submit(operator, change_url(config), key_grace_periods=["90", "3600"])
    assert stored(config).key_grace_periods == [90, 3600]
    assert errors(submit(operator, change_url(config), key_grace_periods=["5400"]))[0].startswith(
        "Select a valid choice"
    )


@pytest.mark.parametrize("broken", [{"x": 1}, "soon", [True, "x", None]])
def test_periods_that_the_form_could_not_have_written_can_be_repaired(operator, config, broken):
    PortalConfig.objects.update(key_grace_periods=broken)
    submit(operator, change_url(config), key_grace_periods=["3600"])
    assert stored(config).key_grace_periods == [3600]


def test_periods_in_words():
    assert [period(seconds) for seconds in USUAL_GRACE_PERIODS] == [
        *("At once", "15 minutes", "1 hour", "6 hours", "24 hours", "3 days", "7 days", "30 days")
    ]
    assert [period(seconds) for seconds in (1, 59, 60, 3601, 90000)] == [
        *("1 second", "59 seconds", "1 minute", "3601 seconds", "25 hours")
    ]


def test_two_operators_do_not_overwrite_each_others_policy(operator, config):
    opened = shown(operator.get(change_url(config)))
    submit(operator, change_url(config), key_grace_periods=["0"], key_permissions="maps.read", key_limit="5")
    submit(operator, change_url(config), opened, key_prefix="nw")
    config = stored(config)
    assert (config.key_prefix, config.key_limit) == ("nw", 5)
    assert (config.key_permissions, config.key_grace_periods) == (["maps.read"], [0])


def test_a_change_of_the_policy_ends_no_session_and_changes_no_key(operator, config):
    session = sign_in(config).row
    submit(operator, change_url(config), **POLICY)
    session.refresh_from_db()
    assert session.revoked_at is None


def test_whoever_may_only_look_sees_the_policy(config):
    PortalConfig.objects.update(key_prefix="nw_live", key_permissions=["maps.read"])
    words = text(staff("view_portalconfig").get(change_url(config)))
    assert "nw_live" in words
    assert "maps.read" in words


@override_settings(PORTAL={"KEY_STORE": MEMORY})
def test_the_policy_is_there_whatever_keeps_the_keys(operator, config):
    assert isinstance(get_key_store().store, MemoryKeyStore)
    submit(operator, change_url(config), **POLICY)
    assert stored(config).key_prefix == "nw_live"
