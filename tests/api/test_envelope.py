"""Whatever goes wrong below v2/portal., the answer is the envelope (security rows 26 and 27, and B5)."""

from __future__ import annotations

import json

import pytest
from django.db import InterfaceError, InternalError, OperationalError

from portal.errors import CATALOGUE
from tests.envelopes import assert_answer, assert_refused
from tests.factories import mint, sign_in

INVALID = "unkey/application/invalid_input"
UNKNOWN = "portal/request/unknown_operation"
METHOD = "portal/request/method_not_allowed"
MEDIA = "portal/request/unsupported_media_type"
TOO_LARGE = "user/bad_request/request_body_too_large"


def post(client, body, content_type="application/json", **extra):
    return client.post("/v2/portal.exchangeSession", body, content_type=content_type, **extra)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize(
    "path",
    [
        "/v2/portal.nothing",
        "/v2/portal.createSession/",
        "/v2/portal.createsession",
        "/v2/portal.",
        "/v2/portal.createSession/x",
        "/v2/keys.createKey",
        "/v2/portal.createSession%0A",
    ],
)
def test_row_42_unknown_operations_are_404_and_never_a_redirect(client, db, method, path):
    assert_refused(getattr(client, method)(path), 404, UNKNOWN)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("operation", ["createSession", "exchangeSession", "getSession"])
def test_other_methods_are_405_with_allow(client, db, method, operation):
    # Before authentication: the method is wrong whoever asks.
    answer = getattr(client, method)(f"/v2/portal.{operation}")
    assert_refused(answer, 405, METHOD)
    assert answer["Allow"] == "POST"


def test_head_is_405_without_a_body(client, db):
    answer = client.head("/v2/portal.getSession")
    assert (answer.status_code, answer.content, answer["Allow"]) == (405, b"", "POST")


def test_other_paths_under_v2_are_the_hosts(client, db):
    assert client.get("/v2/other").status_code == 404
    assert b"<" in client.get("/v2/other").content


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "", "application/problem+json"])
def test_accept_is_never_406(client, config, accept):
    answer = post(client, {"sessionId": mint(config).secret}, headers={"Accept": accept})
    assert_answer(answer)
    assert_refused(post(client, {}, headers={"Accept": accept}), 400, INVALID)


def test_a_format_in_the_query_changes_nothing(client, config):
    answer = client.post(
        "/v2/portal.exchangeSession?format=api", {"sessionId": mint(config).secret}, content_type="application/json"
    )
    assert_answer(answer)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=cp037",
        "application/jsonp",
        "application/problem+json",
        "*/*",
        "application/*",
        "",
    ],
)
def test_415(client, db, content_type):
    assert_refused(post(client, b'{"sessionId": "x"}', content_type), 415, MEDIA)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=UTF-8", "Application/JSON", "application/json;x=y"]
)
def test_json_by_other_spellings(client, config, content_type):
    assert_answer(post(client, json.dumps({"sessionId": mint(config).secret}), content_type))


def test_compressed_bodies_are_415(client, db):
    assert_refused(post(client, b"{}", headers={"Content-Encoding": "gzip"}), 415, MEDIA)
    assert_refused(post(client, b"{}", headers={"Content-Encoding": "identity"}), 400, INVALID)


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b"5",
        b"{}{}",
        b"{'sessionId': 'x'}",
        b'{"sessionId": NaN}',
        b'{"sessionId": -Infinity}',
        b'{"sessionId": ' + b"9" * 6000 + b"}",
        b'{"sessionId": "x", "sessionId": "y"}',
        b'{"sessionId": "a\\u0000b"}',
        b'{"sessionId": "\\ud800"}',
        b'{"\\udfff": "x"}',
        b'{"sessionId": ["\\ud83d"]}',
        b'{"sessionId": "\x00"}',
        b'{"sessionId": "\xff"}',
        b"\xef\xbb\xbf{}",
        '{"sessionId": "x"}'.encode("utf-16"),
        b'{"sessionId": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"sessionId": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_row_26_bad_bodies_are_400_and_say_why(client, db, body):
    findings = assert_refused(post(client, body), 400, INVALID)
    assert [finding["location"] for finding in findings] == ["body"]
    assert findings[0]["fix"]


def test_an_empty_body_is_an_empty_object(client, config):
    findings = assert_refused(post(client, b""), 400, INVALID)
    assert [finding["location"] for finding in findings] == ["body.sessionId"]
    token = sign_in(config).secret
    bare = client.generic("POST", "/v2/portal.getSession", headers={"Authorization": f"Bearer {token}"})
    assert_answer(bare)


def test_row_26_escapes_beside_numbers(client, db):
    findings = assert_refused(post(client, b'{"sessionId": "\\u0041", "n": [1, null]}'), 400, INVALID)
    assert [finding["location"] for finding in findings] == ["body.n"]


def test_row_26_whole_surrogate_pairs_are_text(client, db):
    assert_refused(
        post(client, b'{"sessionId": "\\ud83d\\ude00"}'), 401, "unkey/authentication/portal_session_not_found"
    )


@pytest.mark.parametrize("operation", ["createSession", "getSession", "listKeys"])
def test_decision_1_a_stranger_learns_nothing_of_the_body(client, db, operation):
    for body, content_type in (
        (b"nonsense", "application/json"),
        (b"x", "text/plain"),
        (b'{"x": 1}', "application/json"),
    ):
        assert client.post(f"/v2/portal.{operation}", body, content_type=content_type).status_code == 401


def test_answers_are_utf_8_and_not_escaped(client, db):
    answer = post(client, {"größe": 1})
    assert assert_refused(answer, 400, INVALID)[0]["location"] == "body.größe"
    assert "body.größe".encode() in answer.content


def test_413_by_its_announced_length(client, db):
    answer = post(client, b"{" + b" " * (256 * 1024) + b"}")
    findings = assert_refused(
        answer, 413, TOO_LARGE, "The request body exceeds the maximum allowed size of 262144 bytes."
    )
    assert findings == []


def test_413_comes_first_on_any_path_and_method(client, db):
    large = b" " * (256 * 1024 + 1)
    assert_refused(client.put("/v2/portal.nothing", large, content_type="text/plain"), 413, TOO_LARGE)
    assert_refused(client.post("/v2/portal.createSession", large, content_type="text/plain"), 413, TOO_LARGE)


def test_a_body_of_the_limit_is_read(client, db):
    assert_refused(post(client, b"{}".ljust(256 * 1024)), 400, INVALID)


@pytest.mark.parametrize("length", ["262145", "9" * 30, "9" * 5000])
def test_413_for_any_announced_length(client, db, length):
    answer = client.generic("POST", "/v2/portal.getSession", b"{}", CONTENT_LENGTH=length)
    assert_refused(answer, 413, TOO_LARGE)


@pytest.mark.parametrize("length", ["-5", "x", ""])
def test_a_senseless_length_is_no_500(client, db, length):
    answer = client.generic(
        "POST", "/v2/portal.exchangeSession", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )
    assert_refused(answer, 400, INVALID)


@pytest.mark.parametrize("operation", ["portal.listKeys", "portal.getSession", "keys.verifyKey", "portal.nothing"])
@pytest.mark.parametrize("length", [{}, {"CONTENT_LENGTH": ""}])
def test_row_26_a_body_in_chunks_is_refused_and_not_taken_for_none(client, config, operation, length):
    # As gunicorn hands it over; Django reads nothing then.
    answer = client.generic(
        "POST",
        f"/v2/{operation}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {sign_in(config).secret}", "Transfer-Encoding": "chunked"},
        **length,
    )
    assert_refused(answer, 400, "user/bad_request/request_body_unreadable")
    assert "Content-Length" in answer.json()["error"]["detail"]


class Endless:
    """A body that announces no length and does not end, as behind a server that reads chunked requests."""

    def read(self, size=-1):
        return b" " * size


class Broken:
    """A client that goes away in the middle of its body."""

    def read(self, size=-1):
        raise OSError("connection reset")


def test_413_while_reading(rf, db):
    from portal.api.views.sessions import ExchangeSession

    request = rf.generic("POST", "/v2/portal.exchangeSession", b"{}", content_type="application/json")
    request._stream = Endless()
    request.META["CONTENT_LENGTH"] = "1"
    answer = ExchangeSession.as_view()(request)
    assert answer.status_code == 413


def test_a_broken_body_is_unreadable(rf, db):
    from portal.api.views.sessions import ExchangeSession

    request = rf.generic("POST", "/v2/portal.exchangeSession", b"{}", content_type="application/json")
    request._stream = Broken()
    request.META["CONTENT_LENGTH"] = "10"
    answer = ExchangeSession.as_view()(request)
    assert json.loads(answer.content)["error"]["type"].endswith("request_body_unreadable")


def test_a_body_that_a_middleware_has_read_is_still_there(client, config, settings):
    settings.MIDDLEWARE = ["tests.hosts.middleware.reads_body", *settings.MIDDLEWARE]
    assert_answer(post(client, {"sessionId": mint(config).secret}))


def test_a_hosts_own_limit_for_forms_is_not_ours(client, config, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert_answer(post(client, {"sessionId": mint(config).secret}))


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_f4_503_while_the_database_is_away(client, config, error, database_away):
    code = mint(config).secret
    with database_away(error):
        answer = post(client, {"sessionId": code})
    assert_refused(answer, 503, "unkey/application/service_unavailable")
    assert int(answer["Retry-After"]) > 0
    # Nothing was used up.
    assert_answer(post(client, {"sessionId": code}))


def test_row_28_500_tells_the_log_and_not_the_caller(client, config, caplog, database_away):
    token = sign_in(config).secret
    caplog.set_level("INFO")
    with database_away(RuntimeError("secret inside")):
        answer = client.post(
            "/v2/portal.getSession",
            {},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert_refused(answer, 500, "unkey/application/unexpected_error", "An internal error occurred.")
    assert "secret inside" not in answer.content.decode()
    assert "secret inside" in caplog.text
    assert answer["X-Request-Id"] in caplog.text


def test_row_45_the_log_says_who_was_refused_and_from_where(api, config, root_key, caplog):
    caplog.set_level("INFO", "portal.api")
    session, token = sign_in(config, granted=["keys:read"])
    for operation, body, bearer, status, caller, portal_id in (
        ("createKey", {"name": "Laptop"}, token, 403, session.public_id, config.public_id),
        ("getPortal", {"portal": "my-portal"}, root_key.secret, 404, root_key.row.public_id, None),
        ("getSession", {}, "pat_" + "0" * 43, 401, None, None),
    ):
        caplog.clear()
        answer = api(operation, body, token=bearer)
        assert answer.status_code == status
        (line,) = [record for record in caplog.records if record.name == "portal.api"]
        current = answer["X-Request-Id"]
        assert line.getMessage() == f"portal.{operation} {status} {current} {caller or '-'} 127.0.0.1"
        assert (line.caller, line.portal_id, line.address, line.status) == (caller, portal_id, "127.0.0.1", status)
        assert bearer not in str(vars(line))


def test_errors_of_the_app_have_its_own_types(client, db, settings):
    settings.PORTAL = {}
    assert client.get("/v2/portal.x").json()["error"]["type"] == "about:blank"
    settings.PORTAL = {"BASE_URL": "https://example.com/p", "ERROR_DOCS_URL": "https://docs.example.com/e/"}
    assert client.get("/v2/portal.x").json()["error"]["type"] == f"https://example.com/p/errors/{UNKNOWN}"
    assert post(client, {}).json()["error"]["type"] == f"https://docs.example.com/e/{INVALID}"


def test_the_catalogue_is_sound():
    for code, entry in CATALOGUE.items():
        assert entry.code == code
        assert entry.title
        assert entry.detail
        assert entry.status >= 400
        assert entry.has_errors == (entry.status in {400, 413})
    assert CATALOGUE[TOO_LARGE].title == "Request Entity Too Large"


def test_nothing_of_the_hosts_rest_framework_setting_reaches_us(client, config, settings):
    settings.REST_FRAMEWORK = {
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tests.nowhere",
        "EXCEPTION_HANDLER": "tests.nowhere",
        "UNAUTHENTICATED_USER": "tests.nowhere",
    }
    assert_answer(post(client, {"sessionId": mint(config).secret}))
    assert_refused(post(client, {}), 400, INVALID)
