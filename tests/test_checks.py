"""One test per check id (style A.8)."""

from __future__ import annotations

import copy
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections
from django.db.backends.dummy.base import DatabaseWrapper as DummyWrapper

from portal import checks
from portal.checks import check_deployment, check_settings, known_keys
from portal.keystore import KeyStore
from portal.keystore import checks as keystore_checks
from portal.keystore.checks import check_key_store
from portal.models import checks as model_checks
from portal.models.checks import check_database

SAFE = {"BASE_URL": "https://portal.example.com"}


def ids(messages):
    for message in messages:
        assert message.hint
    return [message.id for message in messages]


@pytest.fixture
def portal(settings):
    """Return ``portal(**keys)``, which returns the ids that these settings give."""

    def check(**keys):
        settings.PORTAL = {**SAFE, **keys}
        return ids(check_settings())

    return check


def test_safe_settings_are_silent(portal):
    assert portal() == []
    assert (
        portal(
            CODE_TTL=timedelta(minutes=5),
            COOKIE_NAME="__Host-portal_session",
            COOKIE_SAMESITE="None",
            COOKIE_PARTITIONED=True,
            COOKIE_SECURE=True,
            TRUSTED_PROXIES=2,
            ERROR_DOCS_URL="https://docs.example.com/errors",
            AUTO_CONTINUE=False,
            THROTTLE_RATES={"failed": "5/sec", "create_session": None},
            REROLL_GRACE=timedelta(0),
        )
        == []
    )
    assert portal(THROTTLE_RATES=None) == []


def test_e001_no_dictionary(settings):
    settings.PORTAL = ["BASE_URL"]
    assert ids(check_settings()) == ["portal.E001"]


def test_e002_an_unknown_key_and_its_nearest(settings):
    settings.PORTAL = {**SAFE, "SESION_TTL": timedelta(hours=1)}
    (message,) = check_settings()
    assert message.id == "portal.E002"
    assert "'SESSION_TTL'" in message.hint


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("BASE_URL", "example.com", "E003"),
        ("BASE_URL", "https://example.com/?x", "E003"),
        ("BASE_URL", 7, "E003"),
        ("CODE_TTL", 900, "E004"),
        ("SESSION_TTL", timedelta(0), "E004"),
        ("PURGE_AFTER", "30 days", "E004"),
        ("EVENT_RETENTION", 365, "E004"),
        ("USAGE_RETENTION", 90, "E004"),
        ("REROLL_GRACE", 86400, "E004"),
        ("REROLL_GRACE", 0, "E004"),
        ("REROLL_GRACE", timedelta(hours=-1), "E004"),
        ("THROTTLE_RATES", "60/min", "E012"),
        ("THROTTLE_RATES", {"failed": "60/minute"}, "E012"),
        ("THROTTLE_RATES", {"failed": 60}, "E012"),
        ("THROTTLE_RATES", {"failed": ["60/min"]}, "E012"),
        ("THROTTLE_RATES", {"failures": "60/min"}, "E012"),
        ("SESSION_CACHE_SECONDS", -1, "E014"),
        ("SESSION_CACHE_SECONDS", 61, "E014"),
        ("SESSION_CACHE_SECONDS", "5", "E014"),
        ("SESSION_CACHE_SECONDS", True, "E014"),
        ("SESSION_CACHE_SECONDS", None, "E014"),
        ("COOKIE_NAME", "portal session", "E005"),
        ("COOKIE_NAME", "", "E005"),
        ("COOKIE_SAMESITE", None, "E006"),
        ("COOKIE_SAMESITE", "lax", "E006"),
        ("COOKIE_SAMESITE", ["Lax"], "E006"),
        ("COOKIE_SECURE", "yes", "E007"),
        ("COOKIE_PARTITIONED", 1, "E007"),
        ("AUTO_CONTINUE", None, "E007"),
        ("TRUSTED_PROXIES", -1, "E008"),
        ("TRUSTED_PROXIES", True, "E008"),
        ("ERROR_DOCS_URL", "docs", "E009"),
    ],
)
def test_e003_to_e009_and_e012_wrong_values(portal, key, value, code):
    assert portal(**{key: value}) == [f"portal.{code}"]


def test_e010_a_prefixed_name_must_be_secure(portal):
    assert portal(COOKIE_NAME="__Host-portal_session", COOKIE_SECURE=False) == ["portal.E010"]


def test_e011_same_site_none_must_be_secure(portal):
    assert portal(COOKIE_SAMESITE="None", COOKIE_SECURE=False) == ["portal.E011"]


class UnmakeableKeyStore(KeyStore):
    """It cannot be made without a server, and has no methods yet."""


@pytest.fixture
def store(settings):
    """Return ``store(setting)``, which returns what the check says about it."""

    def check(setting):
        settings.PORTAL = {**SAFE, "KEY_STORE": setting}
        return check_key_store()

    return check


MEMORY = "portal.keystore.memory.MemoryKeyStore"


@pytest.mark.parametrize("right", [None, {"BACKEND": MEMORY}, {"BACKEND": MEMORY, "OPTIONS": {}}])
def test_a_key_store_is_silent(store, right):
    assert store(right) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (MEMORY, "it is not a dictionary with a BACKEND."),
        ({}, "it is not a dictionary with a BACKEND."),
        ({"BACKEND": None}, "it is not a dictionary with a BACKEND."),
        ({"BACKEND": MEMORY, "OPTION": {}}, "it has no key 'OPTION'."),
        ({"BACKEND": MEMORY, 7: {}}, "it has no key '7'."),
        ({"BACKEND": MEMORY, "OPTIONS": None}, "its OPTIONS are not a dictionary."),
        ({"BACKEND": MEMORY, "OPTIONS": ["host"]}, "its OPTIONS are not a dictionary."),
        ({"BACKEND": "nowhere.Store"}, "its BACKEND cannot be imported. No module named 'nowhere'"),
        ({"BACKEND": "portal.keystore.memory.Store"}, "its BACKEND cannot be imported. Module"),
        ({"BACKEND": "memory"}, "its BACKEND cannot be imported. memory doesn't look like a module path"),
        ({"BACKEND": "datetime.datetime"}, "its BACKEND is not a subclass of portal.keystore.KeyStore."),
        ({"BACKEND": "portal.clock.now"}, "its BACKEND is not a subclass of portal.keystore.KeyStore."),
        ({"BACKEND": MEMORY, "OPTIONS": {"host": "x"}}, "the store cannot be made. TypeError: "),
        ({"BACKEND": "tests.test_checks.UnmakeableKeyStore"}, "the store cannot be made. TypeError: "),
        ({"BACKEND": MEMORY, "OPTIONS": {7: "x"}}, "the store cannot be made. TypeError: "),
    ],
)
def test_e013_no_key_store(store, wrong, words):
    (message,) = store(wrong)
    assert ids([message]) == ["portal.E013"]
    assert message.msg.startswith(f"PORTAL['KEY_STORE'] names no key store: {words}")
    # The other checks do not need it.
    assert check_settings() == []
    assert check_deployment() is not None


def test_a_key_store_checks_itself(store):
    options = {"opinion": "The options are odd."}
    (message,) = store({"BACKEND": "tests.keystore.doubles.KeptStore", "OPTIONS": options})
    assert (message.id, message.msg) == ("tests.W001", "The options are odd.")


def test_e001_is_told_once(settings):
    settings.PORTAL = ["KEY_STORE"]
    assert check_key_store() == []


@pytest.mark.django_db
def test_django_runs_the_key_stores_check(settings):
    settings.PORTAL = {**SAFE, "KEY_STORE": "memory"}
    with pytest.raises(SystemCheckError, match=r"portal\.E013"):
        call_command("check", stdout=StringIO(), stderr=StringIO())


@pytest.fixture
def in_zone(monkeypatch):
    """Return ``in_zone(name)``, which returns the ids that a database with this TIME_ZONE gives."""
    actual = connections["default"]

    def check(zone):
        monkeypatch.setitem(actual.settings_dict, "TIME_ZONE", zone)
        actual.__dict__.pop("timezone", None)
        return ids(check_database())

    yield check
    actual.__dict__.pop("timezone", None)


# Morocco's clocks change for Ramadan, a month.
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_e015_local_times_that_come_twice(in_zone, zone):
    assert in_zone(zone) == ([] if connection.vendor == "postgresql" else ["portal.E015"])


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kathmandu", "Asia/Tokyo"])
def test_zones_whose_clocks_do_not_change_are_silent(in_zone, zone):
    assert in_zone(zone) == []


class OtherRouter:
    def db_for_write(self, model, **hints):
        return "other"


def test_e015_is_about_the_portals_database_only(in_zone, settings):
    in_utc = connections["default"].copy("other")
    in_zone("Europe/Berlin")
    settings.DATABASE_ROUTERS = [OtherRouter()]
    connections["other"] = in_utc
    try:
        assert check_database() == []
    finally:
        del connections["other"]


def test_e016_another_kind_of_database(settings):
    settings.DATABASE_ROUTERS = [OtherRouter()]
    connections["other"] = DummyWrapper(
        {**connections["default"].settings_dict, "ENGINE": "django.db.backends.dummy"}, "other"
    )
    try:
        assert ids(check_database()) == ["portal.E016"]
    finally:
        del connections["other"]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL keeps moments")
def test_django_runs_the_databases_check(in_zone):
    in_zone("Europe/Berlin")
    with pytest.raises(SystemCheckError, match=r"portal\.E015"):
        call_command("check", stdout=StringIO(), stderr=StringIO())


def test_w001_without_base_url(settings):
    settings.PORTAL = {}
    assert ids(check_settings()) == ["portal.W001"]
    settings.DEBUG = True
    assert ids(check_settings()) == []


def test_w002_partitioned_without_same_site_none(portal):
    assert portal(COOKIE_PARTITIONED=True) == ["portal.W002"]


@pytest.fixture
def deployment(settings, monkeypatch):
    """A deployment without a fault."""
    settings.PORTAL = SAFE
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
    databases = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE"}},
        "other": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"isolation_level": 4}},
    }
    # Past override_settings, which warns of open connections: these databases are only looked at.
    monkeypatch.setattr("django.conf.settings.DATABASES", databases)
    assert ids(check_deployment()) == []
    return settings


def test_e101_no_base_url(deployment):
    deployment.PORTAL = {}
    assert ids(check_deployment()) == ["portal.E101"]


def test_e102_plain_http(deployment):
    deployment.PORTAL = {"BASE_URL": "http://portal.example.com"}
    assert ids(check_deployment()) == ["portal.E102"]
    for base in ("http://127.0.0.1:8000", "http://[::1]:8000/portal", "http://localhost"):
        deployment.PORTAL = {"BASE_URL": base}
        assert ids(check_deployment()) == []


def test_e103_an_insecure_cookie_on_https(deployment):
    deployment.PORTAL = {**SAFE, "COOKIE_SECURE": False}
    assert ids(check_deployment()) == ["portal.E103"]


@pytest.mark.parametrize("wrong", ["text", {"BASE_URL": 5}, {**SAFE, "THROTTLE_RATES": "60/min"}])
def test_what_is_of_a_wrong_type_is_told_by_the_settings_checks_alone(deployment, wrong):
    deployment.PORTAL = wrong
    assert check_deployment() == []
    assert check_settings() != []


def test_e104_debug(deployment):
    deployment.DEBUG = True
    assert ids(check_deployment()) == ["portal.E104"]


def test_e105_any_host(deployment):
    deployment.ALLOWED_HOSTS = ["*"]
    assert ids(check_deployment()) == ["portal.E105"]


def test_w101_sqlite_without_immediate(deployment, monkeypatch):
    monkeypatch.setattr("django.conf.settings.DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}})
    assert ids(check_deployment()) == ["portal.W101"]


def test_w102_a_connection_per_request(deployment, monkeypatch):
    monkeypatch.setattr("django.conf.settings.DATABASES", {"default": {"ENGINE": "django.db.backends.postgresql"}})
    assert ids(check_deployment()) == ["portal.W102"]


@pytest.mark.parametrize("kept_open", [{"CONN_MAX_AGE": None}, {"OPTIONS": {"pool": True}}])
def test_connections_that_stay_open_are_silent(deployment, monkeypatch, kept_open):
    database = {"ENGINE": "django.db.backends.postgresql", **kept_open}
    monkeypatch.setattr("django.conf.settings.DATABASES", {"default": database})
    assert ids(check_deployment()) == []


def test_w103_static_files_not_collected(deployment, tmp_path):
    deployment.STATIC_ROOT = tmp_path
    storages = copy.deepcopy(deployment.STORAGES)
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    deployment.STORAGES = storages
    assert ids(check_deployment()) == ["portal.W103"]


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_w104_each_process_counts_for_itself(deployment, backend):
    deployment.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert ids(check_deployment()) == ["portal.W104"]
    deployment.PORTAL = {**SAFE, "THROTTLE_RATES": None}
    assert ids(check_deployment()) == []


@pytest.mark.parametrize("backend", ["db.DatabaseCache", "filebased.FileBasedCache"])
def test_w105_a_cache_that_counts_in_two_steps(deployment, backend):
    deployment.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert ids(check_deployment()) == ["portal.W105"]


@pytest.mark.parametrize(
    ("level", "expected"), [(None, []), (1, []), (2, []), (3, ["portal.W106"]), (4, ["portal.W106"])]
)
def test_w106_a_stricter_isolation(deployment, monkeypatch, level, expected):
    database = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None, "OPTIONS": {"isolation_level": level}}
    monkeypatch.setattr("django.conf.settings.DATABASES", {"default": database})
    assert ids(check_deployment()) == expected


def test_ids_are_tested_and_used_for_one_thing():
    source = "".join(Path(module.__file__).read_text() for module in (checks, keystore_checks, model_checks))
    used = set(re.findall(r'"(?:portal\.)?([EW]\d{3})"', source))
    tested = set(re.findall(r"[EW]\d{3}", Path(__file__).read_text().upper().replace("PORTAL.", "")))
    assert used <= tested
    single = re.findall(r'id="portal\.([EW]\d{3})"', source)
    assert len(single) == len(set(single))


def test_every_setting_is_checked():
    # KEY_STORE has a check of its own.
    assert set(known_keys()) == {rule[0] for rule in checks._RULES} | {"KEY_STORE"}


@pytest.mark.django_db
def test_django_runs_them(settings):
    settings.PORTAL = {"NONSENSE": 1, **SAFE}
    with pytest.raises(SystemCheckError, match=r"portal\.E002"):
        call_command("check", stdout=StringIO(), stderr=StringIO())
