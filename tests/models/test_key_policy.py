"""What an operator may set about keys, and what that means for users (design decision 17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.authenticate import authenticate_session
from portal.errors import Forbidden, InsufficientPermissions
from portal.keystore import KeyPolicy
from portal.keystore.base import Owner
from portal.models import PortalConfig
from portal.models.key_policy import DEFAULT_GRACE_PERIODS
from portal.models.validators import validate_grace_periods, validate_key_permissions, validate_key_prefix
from portal.permissions import CAPABILITIES, WRITES
from tests.factories import PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def problems(**fields):
    """Return what a form would say, by field: the codes of the errors."""
    with pytest.raises(ValidationError) as caught:
        PortalConfigFactory.build(**fields).full_clean()
    return {field: [error.code for error in errors] for field, errors in caught.value.error_dict.items()}


# Fields ----------------------------------------------------------------------------------------------------------------


def test_a_new_portal_has_a_policy_that_holds():
    config = PortalConfigFactory()
    config.full_clean()
    config.refresh_from_db()
    assert (config.key_prefix, config.key_default_days, config.key_longest_days) == ("sk", 90, 365)
    assert (config.key_never_expires, config.key_limit) == (False, 10)
    assert (config.key_permissions, config.key_default_permissions) == ([], [])
    assert config.key_grace_periods == list(DEFAULT_GRACE_PERIODS) == [0, 900, 3600, 86400, 604800]
    assert config.api_url == ""


def test_each_portal_has_lists_of_its_own():
    first, second = PortalConfig(), PortalConfig()
    first.key_grace_periods.append(1)
    first.key_permissions.append("maps.read")
    assert (second.key_grace_periods, second.key_permissions) == (list(DEFAULT_GRACE_PERIODS), [])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("key_prefix", "", "blank"),
        ("key_prefix", "Acme", "prefix"),
        ("key_prefix", "prk", "prefix"),
        ("key_prefix", "pst_live", "prefix"),
        ("key_prefix", "acme__live", "prefix"),
        ("key_prefix", "acme\n", "prefix"),
        ("key_prefix", "a" * 17, "prefix"),
        ("key_default_days", 0, "min_value"),
        ("key_default_days", 36501, "max_value"),
        ("key_longest_days", 0, "min_value"),
        ("key_longest_days", 36501, "max_value"),
        ("key_limit", -1, "min_value"),
        ("key_permissions", "maps.read", "list"),
        ("key_permissions", [7], "list"),
        ("key_permissions", ["maps.read", "maps.read"], "list"),
        ("key_permissions", ["maps read"], "permission"),
        ("key_permissions", ["(maps.read)"], "permission"),
        ("key_permissions", ["maps.read\n"], "permission"),
        ("key_permissions", [""], "permission"),
        ("key_permissions", ["x" * 101], "permission"),
        ("key_permissions", ["Or"], "permission"),
        ("key_grace_periods", [], "blank"),
        ("key_grace_periods", [3600, 0], "grace"),
    ],
)
def test_what_a_portal_may_not_have(field, value, code):
    codes = problems(**{field: value})
    assert code in codes[field]
    # A longest life of nothing is also shorter than the default.
    assert set(codes) <= {field, "key_default_days"}


@pytest.mark.parametrize(
    "fields",
    [
        {"key_prefix": "acme_live", "key_default_days": 1, "key_longest_days": 1},
        {"key_longest_days": None, "key_default_days": 36500},
        {"key_limit": None},
        {"key_limit": 0},
        {"key_permissions": ["maps.read", "a:b/*-_"], "key_default_permissions": ["a:b/*-_"]},
        {"key_grace_periods": [0]},
        {"key_grace_periods": [31622400]},
    ],
)
def test_what_a_portal_may_have(fields):
    PortalConfigFactory.build(**fields).full_clean()


def test_problems_between_the_fields():
    assert problems(key_default_days=366) == {"key_default_days": ["life"]}
    assert problems(key_default_days=2, key_longest_days=1) == {"key_default_days": ["life"]}
    assert problems(key_default_permissions=["maps.read"]) == {"key_default_permissions": ["permissions"]}
    both = problems(key_default_days=366, key_permissions=["a"], key_default_permissions=["a", "b"])
    assert both == {"key_default_days": ["life"], "key_default_permissions": ["permissions"]}


@pytest.mark.parametrize("value", [None, "", 7, {"a": 1}, [["a"]], [{}]])
def test_junk_in_a_list_is_an_error_of_its_field_and_no_crash(value):
    for fields in (
        {"key_permissions": value, "key_default_permissions": ["a"]},
        {"key_permissions": ["a"], "key_default_permissions": value},
    ):
        found = set()
        try:
            PortalConfigFactory.build(**fields).full_clean()
        except ValidationError as error:
            found = set(error.error_dict)
        assert found <= {"key_permissions", "key_default_permissions"}
        assert found or value in (None, "", {})


# Validators ------------------------------------------------------------------------------------------------------------


def refused(validate, value):
    try:
        validate(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ([0], False),
        ([1, 2, 3], False),
        (list(range(10)), False),
        ([31622400], False),
        ([], True),
        (list(range(11)), True),
        ([31622401], True),
        ([-1], True),
        ([0, 0], True),
        ([2, 1], True),
        ([1.0], True),
        ([True], True),
        (["0"], True),
        ([None], True),
        ("0", True),
        (None, True),
        ({"0": 1}, True),
        (0, True),
    ],
)
def test_grace_periods(value, wrong):
    assert refused(validate_grace_periods, value) is wrong


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ([], False),
        ([f"p{number}" for number in range(100)], False),
        ([f"p{number}" for number in range(101)], True),
        (["Maps.Read:all/*-1_"], False),
        (["x" * 100], False),
        (["and"], True),
        (["AND"], True),
        (["android"], False),
        (["maps,read"], True),
        (["é"], True),
        (["٣"], True),
        (("maps.read",), True),
    ],
)
def test_key_permissions(value, wrong):
    assert refused(validate_key_permissions, value) is wrong


@pytest.mark.parametrize(
    ("value", "wrong"), [("sk", False), ("acme_live_2", False), ("pat", True), ("sk_", True), ("sk-live", True)]
)
def test_key_prefixes(value, wrong):
    assert refused(validate_key_prefix, value) is wrong


# What it means ---------------------------------------------------------------------------------------------------------


def policy(**fields):
    return KeyPolicy.of(PortalConfigFactory.build(**fields))


def test_ends():
    ordinary = policy()
    assert ordinary.default_expiry(NOW) == NOW + 90 * DAY
    assert ordinary.latest_expiry(NOW) == NOW + 365 * DAY
    millisecond = timedelta(milliseconds=1)
    for end, may in (
        (NOW - DAY, False),
        (NOW, False),
        (NOW + millisecond, True),
        (NOW + 365 * DAY, True),
        (NOW + 365 * DAY + millisecond, False),
        (None, False),
    ):
        assert (ordinary.expiry_problem(end, NOW) == "") is may
    endless = policy(key_longest_days=None, key_never_expires=True)
    assert endless.latest_expiry(NOW) is None
    assert endless.expiry_problem(None, NOW) == endless.expiry_problem(NOW + 36500 * DAY, NOW) == ""
    assert endless.expiry_problem(NOW, NOW)
    # "Never" is a permission of its own, whatever the longest life.
    assert policy(key_never_expires=True).expiry_problem(None, NOW) == ""
    assert policy(key_longest_days=None).expiry_problem(None, NOW)


def test_the_default_end_is_one_that_may_be():
    for fields in ({}, {"key_default_days": 365}, {"key_default_days": 36500, "key_longest_days": None}):
        chosen = policy(**fields)
        assert chosen.expiry_problem(chosen.default_expiry(NOW), NOW) == ""


def test_grace_periods_are_bounds():
    chosen = policy(key_grace_periods=[900, 3600])
    for seconds, may in ((0, False), (899, False), (900, True), (1234, True), (3600, True), (3601, False)):
        assert (chosen.grace_problem(timedelta(seconds=seconds)) == "") is may


@pytest.mark.parametrize(
    ("wanted", "allowed", "seconds"),
    [
        (timedelta(days=1), [0, 86400], 86400),
        (timedelta(hours=1), [0, 7100], 7100),
        (timedelta(hours=1), [0, 7300], 0),
        (timedelta(hours=2), [0, 7300], 7300),
        (timedelta(days=30), [0, 60], 60),
        # As near to both: the shorter.
        (timedelta(seconds=30), [0, 60], 0),
    ],
)
def test_the_default_grace_is_the_allowed_one_that_is_nearest(settings, wanted, allowed, seconds):
    settings.PORTAL = {**settings.PORTAL, "REROLL_GRACE": wanted}
    chosen = policy(key_grace_periods=allowed)
    assert chosen.default_grace() == timedelta(seconds=seconds)
    assert chosen.grace_problem(chosen.default_grace()) == ""


def test_limits_and_permissions():
    chosen = policy(key_limit=None, key_permissions=["b", "a"], key_default_permissions=["a"])
    assert (chosen.limit, chosen.permissions, chosen.default_permissions) == (None, ("b", "a"), ("a",))
    assert policy(key_limit=3).limit == 3


def test_portals_without_a_keyspace_do_not_share_by_omission():
    first, second = (PortalConfigFactory(keyspace_id="") for _ in range(2))
    assert Owner(first, "u").keyspace_id == first.public_id != Owner(second, "u").keyspace_id
    assert Owner(PortalConfigFactory(keyspace_id="ks_9"), "u").keyspace_id == "ks_9"


# Who may ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_session_is_asked_for_one_capability(capability):
    session = authenticate_session(sign_in(granted=[capability]).secret)
    session.require(capability)
    for other in set(CAPABILITIES) - {capability}:
        with pytest.raises(InsufficientPermissions) as caught:
            session.require(other)
        assert caught.value.detail == f"Missing permission: '{other}'"


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_preview_is_refused_what_writes(capability):
    session = authenticate_session(sign_in(preview=True).secret)
    assert session.allows(capability)
    if capability in WRITES:
        with pytest.raises(Forbidden):
            session.require(capability)
    else:
        session.require(capability)
    # What was not granted comes first: a preview tells no more than a session.
    with pytest.raises(InsufficientPermissions):
        replace(session, capabilities=frozenset()).require(capability)
