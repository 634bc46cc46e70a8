"""``portal_import_keys``: keys of another system, taken over by their hashes."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from portal import clock
from portal.contrib.keys.management.commands import portal_import_keys as command
from portal.contrib.keys.models import ApiKey, ImportedKey, ImportOutcome, KeyOwner, KeySecret
from portal.contrib.keys.verify import verify
from portal.keystore import get_key_store
from portal.keystore.base import KeyQuery, Outcome, Owner
from portal.models import PortalConfig, PortalEvent
from portal.signals import key_created
from tests.contrib.keys.making import make_key
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

SECRET = "legacy-0123456789abcdef"


def hashed(secret=SECRET):
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.fixture
def file(tmp_path):
    """Return a function that writes rows to a file and returns its path: CSV, unless the name says JSON lines."""

    def write(*rows, name="keys.csv"):
        path = tmp_path / name
        if path.suffix == ".csv":
            columns = [*dict.fromkeys(column for row in rows for column in row)]
            with path.open("w", newline="", encoding="utf-8") as out:
                lines = csv.DictWriter(out, columns, restval="")
                lines.writeheader()
                lines.writerows(rows)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def row(secret=SECRET, **values):
    return {"hash": hashed(secret), "external_id": "user_123", **values}


def run(path, *options, portal="my-portal"):
    """Return what the command printed, as JSON, and check that its status says whether rows were refused."""
    out, status = StringIO(), 0
    options = [*options, "--json", *(["--portal", portal] if portal else [])]
    try:
        call_command("portal_import_keys", str(path), *options, stdout=out, stderr=StringIO())
    except CommandError as error:
        status = error.returncode
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert status == bool(told["refused"])
    assert SECRET not in line
    return told


def counts(told):
    return tuple(told[name] for name in ("imported", "skipped", "refused"))


@pytest.mark.parametrize("name", ["keys.csv", "keys.jsonl", "keys.NDJSON"])
def test_an_imported_key_works_and_its_owner_manages_it(file, config, name):
    assert counts(run(file(row(), name=name))) == (1, 0, 0)
    verified = verify(SECRET, keyspace_id="ks_1")
    assert (verified.outcome, verified.key.external_id) == (Outcome.VALID, "user_123")
    (key,) = get_key_store().list_keys(Owner(config, "user_123"), KeyQuery()).keys
    assert (key.expires_at, key.permissions, key.enabled, key.start) == (None, (), True, "")
    assert key.name.startswith("Imported key ")
    issued = get_key_store().reroll_key(Owner(config, "user_123"), key.id, grace=timedelta(0), request_id="r")
    assert verify(SECRET).outcome is Outcome.EXPIRED
    assert verify(issued.secret).valid


@pytest.mark.parametrize("name", ["keys.csv", "keys.jsonl"])
def test_every_column_is_taken_over(file, config, name):
    is_json = name.endswith("jsonl")
    values = {
        "keyspace": "ks_2",
        "name": " Production ",
        "start": "legacy-0",
        "enabled": False if is_json else "no",
        "expires": 4102444800000,
        "permissions": ["maps.read", "maps.write"] if is_json else "maps.read, maps.write",
        "metadata": {"plan": "pro"} if is_json else '{"plan": "pro"}',
        "rate_limit": 100,
        "rate_limit_seconds": 10,
        "created": "2024-02-29T12:00:00+02:00",
    }
    assert counts(run(file(row(**values), name=name))) == (1, 0, 0)
    key = ApiKey.objects.get()
    assert (key.keyspace_id, key.external_id, key.name) == ("ks_2", "user_123", "Production")
    assert (key.start, key.enabled, key.locked, key.revision) == ("legacy-0", False, False, 1)
    assert (key.permissions, key.metadata) == (["maps.read", "maps.write"], {"plan": "pro"})
    assert (key.rate_limit, key.rate_limit_seconds) == (100, 10)
    assert key.expires_at == datetime(2100, 1, 1, tzinfo=UTC)
    assert key.created_at == datetime(2024, 2, 29, 10, tzinfo=UTC)
    assert KeySecret.objects.get().start == "legacy-0"
    assert verify(SECRET).outcome is Outcome.DISABLED


@pytest.mark.parametrize(
    ("column", "value", "field", "stored"),
    [
        ("enabled", "TRUE", "enabled", True),
        ("enabled", "0", "enabled", False),
        ("enabled", "", "enabled", True),
        ("expires", "2099-01-01T00:00:00Z", "expires_at", datetime(2099, 1, 1, tzinfo=UTC)),
        ("expires", "1", "expires_at", datetime(1970, 1, 1, microsecond=1000, tzinfo=UTC)),
        ("expires", "", "expires_at", None),
        ("permissions", '["maps.read", "maps.read"]', "permissions", ["maps.read"]),
        ("permissions", "a.b  c.d\te.f", "permissions", ["a.b", "c.d", "e.f"]),
        ("permissions", "[]", "permissions", []),
        ("permissions", "a.b,", "permissions", ["a.b"]),
        ("metadata", "{}", "metadata", {}),
        ("metadata", r'{"a": "\\u0000"}', "metadata", {"a": r"\u0000"}),
        ("name", "Ärger, “quoted”\u00a0🎉", "name", "Ärger, “quoted”\u00a0🎉"),
        ("external_id", "a\tb ", "external_id", "a\tb "),
        ("hash", hashed().upper(), "name", None),
    ],
)
def test_how_values_may_be_written(file, config, column, value, field, stored):
    assert counts(run(file(row(**{column: value})))) == (1, 0, 0)
    if stored is not None or field == "expires_at":
        assert getattr(ApiKey.objects.get(), field) == stored
    # EXPIRED and DISABLED are answers about a key that was found.
    assert verify(SECRET).outcome is not Outcome.NOT_FOUND


@pytest.mark.parametrize("name", ["keys.csv", "keys.jsonl"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hash", SECRET),
        ("hash", ""),
        ("hash", hashed()[:-1]),
        ("hash", hashed() + "0"),
        ("hash", hashed("")),
        ("external_id", ""),
        ("external_id", "x" * 257),
        ("external_id", "a\0b"),
        ("external_id", SECRET),
        ("keyspace", "x" * 257),
        ("name", "x" * 101),
        ("name", "a\nb"),
        ("name", SECRET),
        ("start", "x" * 33),
        ("start", "a\x07b"),
        ("start", SECRET),
        ("enabled", "perhaps"),
        ("expires", "2099-01-01"),
        ("expires", "2099-01-01T00:00:00"),
        ("expires", "2099-13-01T00:00:00Z"),
        ("expires", "soon"),
        ("expires", "999999999999999"),
        ("expires", "9999-12-31T23:00:00-02:00"),
        ("created", "-999999999999999"),
        ("permissions", "maps.read and"),
        ("permissions", "maps(read)"),
        ("permissions", '["maps.read", 1]'),
        ("permissions", "[maps.read]"),
        ("metadata", "[]"),
        ("metadata", '"text"'),
        ("metadata", "{"),
        ("metadata", "[" * 100_000),
        ("metadata", '{"a":' * 101 + "1" + "}" * 101),
        ("metadata", '{"a": NaN}'),
        ("metadata", '{"a": 1e999}'),
        ("metadata", '{"a": "\\u0000"}'),
        ("metadata", '{"a": "\\ud800"}'),
        ("rate_limit", "0"),
        ("rate_limit", "2147483648"),
        ("rate_limit", "1.5"),
        ("rate_limit_seconds", "-1"),
    ],
)
def test_a_wrong_value_costs_its_row_and_is_not_repeated(file, config, tmp_path, name, column, value):
    wrong = row(**{column: value})
    good = row("another-key")
    told = run(file(good, wrong, name=name), "--report", str(tmp_path / "report.csv"))
    assert counts(told) == (1, 0, 1)
    (refusal,) = told["refusals"]
    assert (refusal["line"], refusal["column"]) == (3 if name == "keys.csv" else 2, column)
    assert refusal["reason"].endswith(".")
    written = json.dumps(told) + (tmp_path / "report.csv").read_text()
    assert not value or value[:50] not in written or len(value) < 5
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hash", 7),
        ("hash", [hashed()]),
        ("external_id", 123),
        ("external_id", "\ud800"),
        ("name", ["x"]),
        ("enabled", 2),
        ("expires", 1.5),
        ("expires", True),
        ("permissions", {"maps.read": 1}),
        ("permissions", ["\ud800"]),
        ("metadata", [1]),
        ("metadata", {"a": "\ud800"}),
        ("metadata", {"a": float("inf")}),
        ("rate_limit", True),
        ("rate_limit", 1.5),
    ],
)
def test_json_has_types(file, config, column, value):
    told = run(file(row(**{column: value}), name="keys.jsonl"))
    assert (counts(told), told["refusals"][0]["column"]) == ((0, 0, 1), column)


def test_what_is_no_record_costs_its_lines(tmp_path, config):
    path = tmp_path / "keys.csv"
    lines = [
        "hash,external_id,name",
        f'{hashed("1")},u,"two\nlines"',
        f"{hashed('2')},u",
        "",
        f"{hashed('3')},u,C,D",
        f'{hashed("4")},u,"{"x" * 140_000}',
        f"{hashed('5')},u,Good",
    ]
    path.write_text("\n".join(lines))
    told = run(path)
    assert ApiKey.objects.get().name == "Good"
    assert [refusal["line"] for refusal in told["refusals"]][:4] == [2, 4, 6, 7]
    assert told["refusals"][1]["reason"] == "This has 2 values; the header has 3 columns."

    path = tmp_path / "keys.jsonl"
    lines = [
        json.dumps(row("6")),
        "",
        "{",
        "[1]",
        "[" * 100_000,
        json.dumps(row("7", expire=1)),
        " " * 140_000 + "{}",
        "x" * 300_000,
        json.dumps(row("8")),
    ]
    path.write_text("\n".join(lines))
    told = run(path)
    assert counts(told) == (2, 0, 6)
    assert [refusal["line"] for refusal in told["refusals"]] == [3, 4, 5, 6, 7, 8]


def test_bytes_that_are_no_text_cost_their_row(tmp_path, config):
    path = tmp_path / "keys.csv"
    path.write_bytes(
        b"\xef\xbb\xbfhash,external_id,name\r\n"
        + f"{hashed('1')},u,".encode()
        + b"\xff\r\n"
        + f"{hashed('2')},u,Good\r\n".encode()
    )
    told = run(path)
    assert (counts(told), told["refusals"][0]["line"]) == ((1, 0, 1), 2)
    assert ApiKey.objects.get().name == "Good"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The first line must name the columns, hash and external_id among them."),
        ("hash,name\n", "The first line must name the columns, external_id among them."),
        ("hash,external_id,expire\n", "Column 3 of the first line is none of hash, external_id,"),
        (f"{SECRET},user_123\n", "Column 1 of the first line is none of"),
        ("hash,external_id,hash\n", "The first line names a column twice."),
        ('hash,"' + "x" * 140_000, "The first line is no header"),
    ],
)
def test_a_header_that_is_wrong_costs_the_file(tmp_path, config, text, words):
    path = tmp_path / "keys.csv"
    path.write_text(text)
    with pytest.raises(CommandError) as caught:
        call_command("portal_import_keys", str(path), stdout=StringIO())
    assert str(caught.value).startswith(words)
    assert SECRET not in str(caught.value)


def test_an_empty_file_of_json_lines_imports_nothing(tmp_path, config):
    path = tmp_path / "keys.jsonl"
    path.write_text("")
    assert counts(run(path)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--portal", "nowhere"], "There is no portal of this name."),
        (["--batch", "0"], "--batch must be 1 or more."),
        (["--report", "/nowhere/report.csv"], "Cannot open /nowhere/report.csv: No such file or directory."),
    ],
)
def test_arguments_that_are_wrong(file, config, options, words):
    with pytest.raises(CommandError, match=words):
        call_command("portal_import_keys", str(file(row())), *options)
    assert not ApiKey.objects.exists()


def test_files_that_cannot_be_read(file, config, tmp_path):
    with pytest.raises(CommandError, match=r"Cannot open .*none\.csv: No such file or directory\."):
        call_command("portal_import_keys", str(tmp_path / "none.csv"))
    path = file(row(), name="keys.txt")
    with pytest.raises(CommandError, match="Give --format csv or --format jsonl"):
        call_command("portal_import_keys", str(path))
    assert counts(run(path, "--format", "jsonl")) == (1, 0, 0)


def test_whose_keys_they_are(file):
    own = PortalConfigFactory(slug="own-keys", keyspace_id="")
    told = run(file(row("1"), row("2", keyspace="ks_7")), portal=None)
    assert (counts(told), told["refusals"][0]["column"]) == ((1, 0, 1), "keyspace")
    assert counts(run(file(row("3"), row("4", keyspace="ks_7")), portal="own-keys")) == (2, 0, 0)
    keyspaces = ApiKey.objects.order_by("pk").values_list("keyspace_id", flat=True)
    assert [*keyspaces] == ["ks_7", own.public_id, "ks_7"]


def test_the_limit_of_the_portal_is_for_its_users(file, config):
    PortalConfig.objects.update(key_limit=1, key_longest_days=1)
    rows = [row(str(number), expires="2099-01-01T00:00:00Z") for number in range(3)]
    assert counts(run(file(*rows))) == (3, 0, 0)


def test_running_it_again_goes_on_where_it_stopped(file, config):
    rows = [row(str(number)) for number in range(7)]
    assert counts(run(file(*rows[:3]), "--batch", "2")) == (3, 0, 0)
    assert counts(run(file(*rows), "--batch", "2")) == (4, 3, 0)
    before = [*ApiKey.objects.values()]
    assert counts(run(file(*rows), "--batch", "2")) == (0, 7, 0)
    assert [*ApiKey.objects.values()] == before
    assert KeySecret.objects.count() == KeyOwner.objects.count() + 6 == 7


def test_what_stops_it_loses_no_batch_that_was_written(file, config):
    rows = [row(str(number)) for number in range(6)]
    batches = []

    def fail(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "portal_keys_keysecret" in sql:
            batches.append(sql)
            if len(batches) == 3:
                raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(KeyboardInterrupt):
        run(file(*rows), "--batch", "2")
    assert ApiKey.objects.count() == KeySecret.objects.count() == 4
    assert counts(run(file(*rows), "--batch", "2")) == (2, 4, 0)


def test_a_key_that_was_revoked_or_rotated_meanwhile_does_not_come_back(file, config, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old", []
    path = file(row("revoked"), row("rotated"))
    run(path)
    revoked, rotated = ApiKey.objects.order_by("pk")
    ApiKey.objects.revoke(revoked.public_id)
    ApiKey.objects.rotate(rotated.public_id, "sk", timedelta(0))
    KeySecret.objects.exclude(ends_at=None).delete()
    for keys in (("old", []), ("new", ["old"])):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = keys
        assert counts(run(path)) == (0, 2, 0)
    assert verify("revoked").outcome is verify("rotated").outcome is Outcome.NOT_FOUND


def test_purging_brings_no_revoked_key_back(file, config):
    path = file(row("revoked"), row("live"))
    run(path)
    native, _ = make_key()
    revoked = ApiKey.objects.order_by("pk").first()
    for key in (revoked, native):
        ApiKey.objects.revoke(key.public_id)
    ApiKey.objects.filter(revoked_at__isnull=False).update(revoked_at=clock.now() - timedelta(days=31))
    call_command("portal_purge", stdout=StringIO())
    assert not ApiKey.objects.filter(pk=native.pk).exists()
    assert counts(run(path)) == (0, 2, 0)
    assert verify("revoked").outcome is Outcome.NOT_FOUND
    assert verify("live").valid


def test_names_are_one_users_own(file, config):
    make_key(name="Taken")
    gone, _ = make_key(name="Free again")
    ApiKey.objects.revoke(gone.public_id)
    rows = [
        row("1", name="Taken"),
        row("2", name="Free again"),
        row("3", name="Twice"),
        row("4", name="Twice"),
        row("5", name="Taken", external_id="user_9"),
        row("6", name="Taken", keyspace="ks_9"),
    ]
    told = run(file(*rows))
    assert counts(told) == (4, 0, 2)
    assert [(refusal["line"], refusal["column"]) for refusal in told["refusals"]] == [(2, "name"), (5, "name")]
    assert not KeySecret.objects.filter(secret_hash=bytes.fromhex(hashed("4"))).exists()
    # Also from one batch to the next.
    told = run(file(row("7", name="A"), row("8", name="A")), "--batch", "1")
    assert counts(told) == (1, 0, 1)


def test_one_hash_is_one_users(file, config):
    native, secret = make_key(external_id="user_1")
    rows = [
        row("1"),
        row("1", name="Again"),
        row("1", external_id="user_9"),
        row(secret),
        row(secret, external_id="user_1"),
    ]
    for batch in ("1", "10"):
        told = run(file(*rows), "--batch", batch)
        assert [refusal["line"] for refusal in told["refusals"]] == [4, 5]
        assert {refusal["reason"] for refusal in told["refusals"]} == {"Another user has this key."}
        assert (told["imported"], told["skipped"]) == ((1, 2) if batch == "1" else (0, 3))
        assert verify("1").key.external_id == "user_123"
        if batch == "1":
            assert counts(run(file(*rows), "--batch", "10")) == (0, 3, 2)
    ApiKey.objects.exclude(pk=native.pk).delete()
    assert counts(run(file(*rows), "--batch", "10")) == (1, 2, 2)


def test_a_hash_whose_first_row_was_refused(file, config):
    make_key(name="Taken")
    told = run(file(row("1", name="Taken"), row("1", name="Free")))
    assert [refusal["reason"] for refusal in told["refusals"]] == [
        "The user has another key of this name.",
        "An earlier row has this hash, and was refused.",
    ]


def test_a_dry_run_tells_the_same_and_writes_nothing(file, config):
    make_key(name="Taken")
    path = file(row("1"), row("2", name="Taken"), row("3", expires="soon"), row("1"))
    before = [model.objects.count() for model in (ApiKey, KeySecret, KeyOwner, PortalEvent)]
    told = run(path, "--dry-run")
    assert "imported" not in told
    assert (told["would_import"], told["skipped"], told["refused"]) == (1, 1, 2)
    assert [model.objects.count() for model in (ApiKey, KeySecret, KeyOwner, PortalEvent)] == before
    told_again = run(path)
    assert (counts(told_again), told_again["refusals"]) == ((1, 1, 2), told["refusals"])


def test_each_key_is_on_record_and_nobody_is_told_of_a_million(
    file, config, caplog, django_capture_on_commit_callbacks
):
    heard = []
    key_created.connect(lambda **event: heard.append(event), weak=False, dispatch_uid="test")
    try:
        with caplog.at_level("INFO", "portal.audit"), django_capture_on_commit_callbacks(execute=True):
            run(file(row("1", name="A"), row("2", keyspace="ks_9")))
    finally:
        key_created.disconnect(dispatch_uid="test")
    assert heard == caplog.records == []
    first, second = PortalEvent.objects.filter(kind="key.created").order_by("pk")
    assert (first.actor_kind, first.portal_id, first.external_id) == ("system", config.public_id, "user_123")
    key = ApiKey.objects.get(name="A")
    assert first.detail == {"key_id": key.public_id, "name": "A", "imported": True}
    assert second.portal_id == ""


def test_the_report_has_every_refused_row(file, config, tmp_path):
    rows = [row(str(number), expires="soon") for number in range(30)]
    report = tmp_path / "report.csv"
    told = run(file(*rows), "--report", str(report))
    assert (told["refused"], len(told["refusals"])) == (30, 20)
    with report.open(newline="") as lines:
        read = [*csv.reader(lines)]
    assert read[0] == ["line", "column", "reason"]
    assert [line[:2] for line in read[1:]] == [[str(number), "expires"] for number in range(2, 32)]


def test_what_people_read(file, config):
    out = StringIO()
    path = file(*(row(str(number), expires="soon") for number in range(21)), row("x", **{"name": "Good"}))
    with pytest.raises(CommandError, match=r"^Rows that were refused: 21\.$"):
        call_command("portal_import_keys", str(path), "--portal", "my-portal", stdout=out, stderr=StringIO())
    lines = out.getvalue().splitlines()
    assert lines[0] == "Imported 1 keys. Skipped 0 that are there already, refused 21."
    assert lines[1].startswith("Line 2: expires: This must be Unix milliseconds")
    assert (len(lines), lines[-1]) == (22, "… and more: --report has them all.")
    path.write_text("hash,external_id\nx\n")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("portal_import_keys", str(path), "--dry-run", stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines() == [
        "Would import 0 keys. Skipped 0 that are there already, refused 1.",
        "Line 2: This has 1 values; the header has 2 columns.",
    ]


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_far_it_is_and_a_file_does_not(file, config, monkeypatch):
    monkeypatch.setattr("portal.contrib.keys.management.progress._SECONDS", 0)
    terminal, log = Terminal(), StringIO()
    path = file(*(row(str(number)) for number in range(4)))
    for stderr in (terminal, log):
        call_command("portal_import_keys", str(path), "--portal", "my-portal", "--batch", "2", stderr=stderr)
    assert log.getvalue() == ""
    bars = terminal.getvalue().split("\r")[1:]
    assert len(bars) == 5
    assert bars[-1].startswith("[##############################] 100%  4 imported, 0 skipped, 0 refused")
    assert bars[-1].endswith("\033[K\n")
    assert "\n" not in "".join(bars[:-1])


def test_the_bar_is_drawn_a_few_times_a_second(file, config):
    terminal = Terminal()
    path = file(*(row(str(number)) for number in range(100)))
    call_command("portal_import_keys", str(path), "--portal", "my-portal", "--batch", "1", stderr=terminal)
    assert terminal.getvalue().count("\r") < 20


@pytest.mark.django_db(transaction=True)
def test_a_pipe_is_imported_while_it_is_written(config, tmp_path):
    """Rows are written before the last one is read, so a file needs no memory."""
    pipe = tmp_path / "keys.jsonl"
    os.mkfifo(pipe)
    terminal = Terminal()
    thread = threading.Thread(target=lambda: _import_pipe(pipe, terminal))
    thread.start()
    with pipe.open("w") as out:
        for number in range(2000):
            out.write(json.dumps(row(str(number))) + "\n")
        out.flush()
        for _ in range(200):
            if done := ApiKey.objects.count():
                break
            threading.Event().wait(0.05)
        assert done
        out.write(json.dumps(row("last")) + "\n")
    thread.join()
    assert ApiKey.objects.count() == 2001
    assert "100%  2,001 imported" in terminal.getvalue()


def _import_pipe(pipe, terminal):
    call_command("portal_import_keys", str(pipe), "--portal", "my-portal", "--batch", "100", stderr=terminal)
    connection.close()


def test_memory_does_not_grow_with_the_file(config, tmp_path):
    def peak(rows):
        path = tmp_path / f"{rows}.jsonl"
        path.write_text("".join(json.dumps(row(f"{rows}-{number}", expires="soon")) + "\n" for number in range(rows)))
        tracemalloc.start()
        run(path, "--batch", "50")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(20_000) < peak(1000) * 1.5 + 100_000


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_record_that_is_too_long_is_not_kept_in_memory(config, tmp_path, ending):
    """Neither as one line nor as many."""
    path = tmp_path / "keys.csv"
    # After that nobody can tell what is in quotes, so nothing comes after it here.
    many = f'","{ending}' * 200_000
    lines = [
        "hash,external_id,name",
        f"{hashed('1')},u,{'x,' * 5_000_000}",
        f"{hashed('2')},u,First",
        f'{hashed("3")},u,"{many}"',
    ]
    path.write_text(ending.join(lines), newline="")
    tracemalloc.start()
    told = run(path, "--batch", "1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert [*ApiKey.objects.order_by("pk").values_list("name", flat=True)] == ["First"]
    assert [(refusal["line"], refusal["reason"]) for refusal in told["refusals"][:2]] == [
        (2, "This is no CSV: a record has more than 131072 characters."),
        (4, "This is no CSV: a record has more than 131072 characters."),
    ]


def test_a_hash_that_somebody_else_imports_meanwhile_is_theirs_or_known(config):
    """The write finds it, is undone, and looks again."""
    key = ImportedKey(secret_hash=bytes.fromhex(hashed()), keyspace_id="ks_1", external_id="user_123", name="Mine")

    def meanwhile(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "portal_keys_keysecret" in sql and not others:
            others.append(None)
            raise IntegrityError
        return execute(sql, params, many, context)

    others = []
    with connection.execute_wrapper(meanwhile):
        assert ApiKey.objects.import_hashed([key]) == [ImportOutcome.IMPORTED]
    assert ApiKey.objects.import_hashed([key]) == [ImportOutcome.KNOWN]
    assert ApiKey.objects.import_hashed([]) == []
    assert SECRET not in repr(key)
    assert "secret_hash" not in repr(key)


@pytest.mark.django_db(transaction=True)
def test_imports_and_users_at_once_make_each_key_once(config, file):
    """Two imports of one file, and a user who makes keys of the same names meanwhile."""
    rows = [row(str(number), name=f"Key {number}") for number in range(60)]
    path = file(*rows)
    PortalConfig.objects.update(key_limit=None)
    told, faults = [], []

    def work(act):
        try:
            told.append(act())
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    def user():
        for number in range(0, 60, 7):
            with_name = ApiKey.objects.filter(name=f"Key {number}").exists()
            if not with_name:
                make_key(name=f"By hand {number}")

    threads = [threading.Thread(target=work, args=(lambda: run(path, "--batch", "7"),)) for _ in range(2)]
    threads.append(threading.Thread(target=work, args=(user,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    imports = [counts(one) for one in told if one]
    assert sum(one[0] for one in imports) == 60
    assert sum(one[1] for one in imports) == 60
    assert KeySecret.objects.filter(key__name__startswith="Key ").count() == 60


def test_a_batch_costs_the_same_number_of_statements_whatever_it_holds(config, django_assert_max_num_queries):
    keys = [
        ImportedKey(secret_hash=bytes.fromhex(hashed(str(number))), keyspace_id="ks_1", external_id=f"user_{number}")
        for number in range(20)
    ]
    with django_assert_max_num_queries(10):
        ApiKey.objects.import_hashed(keys)
    with django_assert_max_num_queries(2):
        ApiKey.objects.import_hashed(keys)


def test_the_batches_are_small_where_one_writer_stops_all(config, file, monkeypatch):
    sizes = []
    queryset = type(ApiKey.objects.all())
    really = queryset.import_hashed

    def noted(self, keys, **options):
        sizes.append(len(keys))
        return really(self, keys, **options)

    monkeypatch.setattr(queryset, "import_hashed", noted)
    path = file(*(row(str(number)) for number in range(251)))
    run(path)
    assert sizes == ([250, 1] if connection.vendor == "sqlite" else [251])
    assert command.DEFAULT_BATCH == 1000


def test_times_are_whole_milliseconds(file, config):
    run(file(row(created="2024-01-01T00:00:00.123456Z")))
    created = ApiKey.objects.get().created_at
    assert created == clock.from_milliseconds(clock.to_milliseconds(created))
