"""Facts about a request: the client's address behind proxies."""

from __future__ import annotations

import pytest

from portal.http import client_address


@pytest.mark.parametrize(
    ("hops", "forwarded", "remote", "expected"),
    [
        (0, "1.1.1.1", "10.0.0.1", "10.0.0.1"),
        (1, "1.1.1.1", "10.0.0.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "10.0.0.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 10.0.0.2", "10.0.0.1", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.1", "10.0.0.1"),
        (1, "9.9.9.9:555", "10.0.0.1", "9.9.9.9"),
        (1, "9.9.9.9:", "10.0.0.1", "9.9.9.9"),
        (1, "[2001:DB8::1]:4", "10.0.0.1", "2001:db8::1"),
        (1, "[2001:db8::1]", "10.0.0.1", "2001:db8::1"),
        (1, "[::ffff:203.0.113.7]:80", "10.0.0.1", "203.0.113.7"),
        (1, "2001:db8::1", "10.0.0.1", "2001:db8::1"),
        (1, "::1", "10.0.0.1", "::1"),
        (1, "[]:4", "10.0.0.1", None),
        (1, "9.9.9.9:x", "10.0.0.1", None),
        (1, "[9.9.9.9", "10.0.0.1", None),
        (1, "", "10.0.0.1", None),
        (1, "nonsense", "10.0.0.1", None),
        (0, "", "", None),
        (0, "", "unix:", None),
        (0, "", "2001:DB8::1", "2001:db8::1"),
        (0, "", "fe80::1%eth0", "fe80::1"),
        (0, "", "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_row_45_the_address_that_a_trusted_proxy_saw(rf, settings, hops, forwarded, remote, expected):
    settings.PORTAL = {"TRUSTED_PROXIES": hops}
    request = rf.get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == expected
