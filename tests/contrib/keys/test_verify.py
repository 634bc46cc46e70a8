"""Verification gives the ORM's answer on every state, with one query at most and no model instance (design decision 20)."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import pytest
from django.db import connection, models

from portal import clock, tokens
from portal.contrib.keys import verify as module
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.permission_query import parse
from portal.contrib.keys.verify import Verification, VerifiedKey, verify
from portal.keystore.base import Outcome, RateLimit
from tests.contrib.keys.making import change, make_key, rotate
from tests.factories import issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
ODD = "😀 <b> \u202e 'quote\" \\ %s"


def by_orm(secret, keyspace_id=None):
    """The same question, asked the slow way; without permissions and rate limits."""
    now = clock.now()
    live = KeySecret.objects.filter(secret_hash=tokens.digest(secret), key__in=ApiKey.objects.live())
    if keyspace_id is not None:
        live = live.filter(key__keyspace_id=keyspace_id)
    found = live.select_related("key").first()
    if found is None:
        return Verification(Outcome.NOT_FOUND)
    if not KeySecret.objects.working(now).filter(pk=found.pk).exists():
        return Verification(Outcome.EXPIRED)
    key = found.key
    ends = [moment for moment in (key.expires_at, found.ends_at) if moment is not None]
    if key.locked:
        outcome = Outcome.FORBIDDEN
    elif not key.enabled:
        outcome = Outcome.DISABLED
    elif not ApiKey.objects.active(now).filter(pk=key.pk).exists():
        outcome = Outcome.EXPIRED
    else:
        outcome = Outcome.VALID
    verified = VerifiedKey(
        pk=key.pk,
        secret_pk=found.pk,
        id=key.public_id,
        keyspace_id=key.keyspace_id,
        external_id=key.external_id,
        name=key.name,
        permissions=tuple(key.permissions),
        metadata_json=json.dumps(key.metadata),
        expires_at=min(ends) if ends else None,
        rate_limit=None if key.rate_limit is None else RateLimit(key.rate_limit, timedelta(seconds=60)),
    )
    return Verification(outcome, verified)


def test_keys_in_every_state():
    now = clock.now()
    ends = now + HOUR
    made = {
        "plain": make_key(external_id=ODD, name=ODD, permissions=["a", ODD], metadata={"plan": [1, ODD]}),
        "expiring": make_key(expires_at=ends),
        "disabled": make_key(enabled=False),
        "locked": make_key(),
        "locked and disabled": make_key(enabled=False),
        "disabled and expired": make_key(enabled=False, expires_at=now),
        "revoked": make_key(),
        "revoked by its row alone": make_key(),
        "rotated": make_key(),
        "rotated at once": make_key(),
        "rotated and expiring before": make_key(expires_at=now + HOUR / 2),
        "rotated, then disabled": make_key(),
        "rotated, then locked": make_key(),
        "elsewhere": make_key(keyspace_id="ks_2"),
    }
    for name in ("locked", "locked and disabled"):
        change(made[name][0], locked=True)
    ApiKey.objects.revoke(made["revoked"][0].public_id)
    change(made["revoked by its row alone"][0], revoked_at=now)
    secrets = {name: secret for name, (_, secret) in made.items()}
    with clock.using(lambda: now):
        secrets["new"] = rotate(made["rotated"][0], HOUR)
        secrets["new at once"] = rotate(made["rotated at once"][0])
        secrets["new, expiring before"] = rotate(made["rotated and expiring before"][0], HOUR)
        secrets["new, disabled"] = rotate(made["rotated, then disabled"][0], HOUR)
        secrets["new, locked"] = rotate(made["rotated, then locked"][0], HOUR)
    change(made["rotated, then disabled"][0], enabled=False)
    change(made["rotated, then locked"][0], locked=True)
    secrets |= {"unknown": tokens.mint_api_key("sk"), "foreign": "x", "empty": ""}
    seen = {}
    for moment in (now, now + HOUR / 2, ends - MILLISECOND, ends, ends + HOUR):
        with clock.using(lambda moment=moment: moment):
            for name, secret in secrets.items():
                answer = verify(secret)
                assert answer == by_orm(secret), name
                assert verify(secret, keyspace_id="ks_1") == by_orm(secret, "ks_1"), name
                seen.setdefault(name, []).append(answer.outcome.value)
    valid, expired, refused = "VALID", "EXPIRED", ["NOT_FOUND"] * 5
    assert seen == {
        "plain": [valid] * 5,
        "expiring": [valid, valid, valid, expired, expired],
        "disabled": ["DISABLED"] * 5,
        "locked": ["FORBIDDEN"] * 5,
        "locked and disabled": ["FORBIDDEN"] * 5,
        "disabled and expired": ["DISABLED"] * 5,
        "revoked": refused,
        "revoked by its row alone": refused,
        # Grace is enforced to the millisecond, and so is a key's own end within it.
        "rotated": [valid, valid, valid, expired, expired],
        "rotated at once": [expired] * 5,
        "rotated and expiring before": [valid, expired, expired, expired, expired],
        # Who still has an old secret is not told what became of the key.
        "rotated, then disabled": ["DISABLED"] * 3 + [expired] * 2,
        "rotated, then locked": ["FORBIDDEN"] * 3 + [expired] * 2,
        "elsewhere": [valid] * 5,
        "new": [valid] * 5,
        "new at once": [valid] * 5,
        "new, expiring before": [valid, expired, expired, expired, expired],
        "new, disabled": ["DISABLED"] * 5,
        "new, locked": ["FORBIDDEN"] * 5,
        "unknown": refused,
        "foreign": refused,
        "empty": refused,
    }


def test_what_a_view_gets():
    key, secret = make_key(permissions=["maps.read"], metadata={"plan": "pro"}, rate_limit=5, rate_limit_seconds=90)
    answer = verify(secret)
    assert answer.valid
    assert answer.key.id == key.public_id
    assert answer.key.rate_limit == RateLimit(5, timedelta(seconds=90))
    assert answer.key.has_permission("maps.read")
    assert not answer.key.has_permission("maps")
    assert hash(answer.key) == hash(verify(secret).key)
    assert secret not in repr(answer)
    with pytest.raises(AttributeError):
        answer.key.name = "x"


def test_what_one_request_does_with_metadata_is_nothing_to_the_next():
    for metadata in ({"plan": "pro"}, {"plan": "x" * 5000}):
        secret = make_key(metadata=metadata)[1]
        verify(secret).key.metadata.clear()
        assert verify(secret).key.metadata == metadata


def test_when_what_was_presented_ends_is_aware_utc():
    now = clock.now()
    key, secret = make_key(expires_at=now + 2 * HOUR)
    with clock.using(lambda: now):
        new = rotate(key, HOUR)
    assert verify(new).key.expires_at == now + 2 * HOUR
    old = verify(secret).key.expires_at
    assert (old, old.utcoffset()) == (now + HOUR, timedelta(0))


def test_the_keyspace_can_be_one_or_several():
    secrets = {name: make_key(keyspace_id=name)[1] for name in ("ks_1", "ks_2", "ks_3")}

    def accepted(keyspace_id):
        return [name for name, secret in secrets.items() if verify(secret, keyspace_id=keyspace_id).valid]

    assert accepted(None) == ["ks_1", "ks_2", "ks_3"]
    assert accepted("ks_2") == ["ks_2"]
    assert accepted({"ks_1", "ks_3"}) == ["ks_1", "ks_3"]
    # A setting that got lost opens nothing, and an id is not the letters of one.
    assert accepted("") == accepted(()) == accepted("ks_12") == []


def test_permissions():
    _, secret = make_key(permissions=["maps.read", "tiles.write"])
    for needed in ((), "maps.read", "maps.read AND tiles.write", ["maps.read", "tiles.write"], "no OR maps.read"):
        assert verify(secret, permissions=needed).valid, needed
    for needed, missing in (
        ("maps.write", "maps.write"),
        ("maps.read AND no", "maps.read AND no"),
        (["maps.read", "no", "never"], "no"),
        (["maps.read", parse("no OR never")], "no OR never"),
    ):
        answer = verify(secret, permissions=needed)
        assert (answer.outcome, answer.missing) == (Outcome.INSUFFICIENT_PERMISSIONS, missing)
        assert answer.key is not None
    for lost in ("", "maps.read AND"):
        with pytest.raises(ValueError, match="At the end"):
            verify(secret, permissions=lost)


REFUSALS = {
    "FORBIDDEN": {"locked": True},
    "DISABLED": {"enabled": False},
    "EXPIRED": {"expires_at": clock.from_milliseconds(0)},
    "INSUFFICIENT_PERMISSIONS": {"permissions": []},
    "RATE_LIMITED": {"rate_limit": 0},
}


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_the_first_refusal_counts(number):
    """Each state, beside all that come after it."""
    key, secret = make_key(permissions=["a"], rate_limit=9)
    assert verify(secret, permissions="a").valid
    for fields in list(REFUSALS.values())[number:]:
        change(key, **fields)
    assert verify(secret, permissions="a").outcome == list(REFUSALS)[number]
    assert verify(secret, permissions="a", keyspace_id="ks_2") == Verification(Outcome.NOT_FOUND)


def test_one_query_and_no_model_instance(django_assert_num_queries):
    key, secret = make_key(permissions=["a"], rate_limit=100)
    old = rotate(key, HOUR)
    instances = []

    def note(sender, **kwargs):
        instances.append(sender)

    models.signals.post_init.connect(note)
    try:
        for presented, needed in ((secret, "a"), (old, "no"), (tokens.mint_api_key("sk"), ()), ("x" * 512, ())):
            with django_assert_num_queries(1) as queries:
                verify(presented, permissions=needed)
            assert queries[0]["sql"].startswith("SELECT")
            assert presented not in queries[0]["sql"]
    finally:
        models.signals.post_init.disconnect(note)
    assert instances == []


def typo(secret, place):
    return secret[:place] + ("a" if secret[place] != "a" else "b") + secret[place + 1 :]


def test_a_typo_in_a_key_of_our_own_costs_no_query(django_assert_num_queries):
    _, secret = make_key("acme_live")
    with django_assert_num_queries(0):
        for place in (0, 5, len("acme_live_"), 30, len(secret) - 1):
            assert verify(typo(secret, place)) == Verification(Outcome.NOT_FOUND)
        assert verify("x" * 513) == Verification(Outcome.NOT_FOUND)
    with django_assert_num_queries(1):
        assert verify(secret).valid


@pytest.mark.parametrize(
    "secret",
    [
        "x",
        "sk_live_51H8abcDEF",
        "0" * 64,
        "Bearer-like.eyJhbGciOi.x-y_z",
        "ключ 🔑",
        "a" * 512,
        # Nearly of our form: an upper-case prefix, one too long, one character more or less.
        "SK_" + "0" * 49,
        "abcdefghijklmnopq_" + "0" * 49,
        "sk_" + "0" * 48,
        "sk_" + "0" * 50,
    ],
)
def test_an_imported_key_has_any_form(secret):
    key, _ = make_key()
    KeySecret.objects.filter(key=key).update(secret_hash=tokens.digest(secret))
    assert verify(secret).key.id == key.public_id
    assert not verify(secret + " ").valid
    assert not verify(secret.swapcase() if secret.swapcase() != secret else secret + "0").valid


def test_other_credentials_are_no_keys(config):
    for secret in (issue_root_key().secret, mint(config).secret, sign_in(config).secret):
        assert verify(secret) == Verification(Outcome.NOT_FOUND)


def fill(number):
    """Fill the tables, and have the database count them: of nearly empty ones, each index costs the same."""
    rows = [ApiKey(keyspace_id="ks_1", external_id=f"user_{one % 10}", name=str(one)) for one in range(number)]
    ApiKey.objects.bulk_create(rows)
    KeySecret.objects.bulk_create([KeySecret(key=row, secret_hash=tokens.digest(row.name)) for row in rows])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE portal_keys_apikey")
        cursor.execute("ANALYZE portal_keys_keysecret")


def test_the_lookup_uses_the_hash_index():
    """By the hash of a secret, then by the key's id: two index searches."""
    fill(1000)
    statement = module._key_by_secret("default")
    value = connection.Database.Binary(b"0" * 32)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # How far the key's table seems worth an index, depends on what other tests left in it.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + statement, {"digest": value})
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert re.search(r"Index Scan (?:using|on) portal_keys_secret_hash", plan)
            assert "Index Cond: (secret_hash = " in plan
            assert re.search(r"Index Cond: \(id = s\.key_id\)", plan)
            assert "Seq Scan" not in plan
        else:
            cursor.execute("EXPLAIN QUERY PLAN " + statement, {"digest": value})
            plan = [row[3] for row in cursor.fetchall()]
            assert [line.split(" (")[0] for line in plan] == [
                "SEARCH s USING INDEX sqlite_autoindex_portal_keys_keysecret_1",
                "SEARCH k USING INTEGER PRIMARY KEY",
            ]
            assert plan[0].endswith("(secret_hash=?)")


def test_the_hash_has_one_index():
    """Each write of a secret pays for every index; a text column would have a second one for LIKE."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, KeySecret._meta.db_table)
    over_hash = [one for one in constraints.values() if "secret_hash" in (one["columns"] or [])]
    # NOT NULL is a constraint too.
    assert [one["unique"] for one in over_hash if one["index"] or one["unique"]] == [True]


def test_secrets_are_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    key, secret = make_key(rate_limit=1)
    others = [typo(secret, 20), tokens.mint_api_key("sk"), rotate(key, HOUR)]
    for presented in (secret, secret, *others):
        verify(presented, permissions="a")
        verify(presented)
    # Django's own line of a statement has its parameters, which are hashes.
    text = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records)
    assert not [presented for presented in (secret, *others) if presented in text]
