"""Bodies as a real server hands them over (security requirement 26)."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection

from tests.faults.hosts import Hosts

JSON, FORM, FILE = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
A_FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n' + b"x" * 1000 + b"\r\n--x--\r\n"
UNREAD = "The form could not be read."


def test_row_26_a_body_in_chunks_is_refused_and_so_is_a_file(hosts: Hosts) -> None:
    with hosts.serving() as host:
        token = host.client().exchange(host.mint()).secret
        for path, kind, body, length, words in (
            ("/v2/portal.listKeys", JSON, b'{"nothing": "known"}', None, "Content-Length"),
            ("/my-portal/session/", FORM, b"form_token=x", None, UNREAD),
            ("/my-portal/enter/", FILE, A_FILE, len(A_FILE), UNREAD),
        ):
            headers = {"Content-Type": kind, "Cookie": f"portal_session={token}; portal_nonce={'0' * 43}"}
            if length is not None:
                headers["Content-Length"] = str(length)
            with closing(HTTPConnection("127.0.0.1", host.port, timeout=30)) as connection:
                connection.request("POST", path, iter([body]), headers, encode_chunked=length is None)
                answer = connection.getresponse()
                assert (answer.status, words in answer.read().decode()) == (400, True), path
