"""Origins and return URLs (security row 39)."""

from __future__ import annotations

import pytest

from portal.origins import OriginError, check_return_url, is_loopback, origin_of, parse_origin

LISTED = ["https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "https://[::1]"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://App.Example.com", "https://app.example.com"),
        ("HTTPS://app.example.com:443/", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:80", "http://localhost"),
        ("http://app.localhost", "http://app.localhost"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_origins(value, expected):
    assert parse_origin(value) == expected
    assert parse_origin(expected) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "*",
        "null",
        "app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "http://app.example.com",
        "https://",
        "https:///app.example.com",
        "https:/app.example.com",
        "https://user@app.example.com",
        "https://user:pass@app.example.com",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:08443",
        "https://app.example.com:",
        "https://app.example.com:8443x",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://app.example.com ",
        " https://app.example.com",
        "https://app.example.com\n",
        "https://app..example.com",
        "https://.example.com",
        "https://example.com.",
        "https://-app.example.com",
        "https://app_.example.com",
        "https://bücher.example",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://1.2.3",
        "https://01.2.3.4",
        "https://[::0001]",
        "https://[::1",
        "https://[::ffff:192.0.2.1]",
        "https://[::ffff:c000:201]",
        "https://[1.2.3.4]",
        "https://%61pp.example.com",
    ],
)
def test_no_origins(value):
    with pytest.raises(OriginError):
        parse_origin(value)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://APP.example.com:443/settings?tab=keys&x=%20#top",
        "https://app.example.com?x=1",
        "https://app.example.com:8443/~user/a;b=c",
        "http://localhost:3000/",
        "https://[::1]/",
    ],
)
def test_return_urls(url):
    assert check_return_url(url, LISTED) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/settings",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://app.example.com",
        "data:text/html,x",
        "https://evil.example/https://app.example.com",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://app.example.com:8444/",
        "http://app.example.com/",
        "http://localhost/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com/\\evil",
        "https://app.example.com/a b",
        "https://app.example.com/\t",
        "https://app.example.com/\nLocation: x",
        "https://app.example.com/é",
        "https://app.example.com/\0",
        'https://app.example.com/"onclick',
        "https://app.example.com/<b>",
        "https://app.example.com/" + "a" * 500,
    ],
)
def test_row_39_no_return_urls(url):
    with pytest.raises(OriginError):
        check_return_url(url, LISTED)


def test_the_origin_of_a_referer():
    assert origin_of("https://app.example.com/deep?x=1") == "https://app.example.com"
    assert origin_of("http://intranet/") == "http://intranet"
    for odd in ("", "nonsense", "https://app.example.com@evil.example/", "https://127.1/", "about:blank"):
        assert origin_of(odd) is None


def test_loopback():
    assert is_loopback("127.8.9.10")
    assert is_loopback("[::1]")
    assert not is_loopback("128.0.0.1")
    assert not is_loopback("notlocalhost")
