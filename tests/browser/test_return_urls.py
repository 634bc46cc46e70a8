"""A return URL that we accept leads where a browser goes: Chromium's own URL parser is asked."""

from __future__ import annotations

import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from portal.origins import OriginError, check_return_url, origin_of

pytestmark = pytest.mark.browser

# None of it follows pytest-randomly: the same URLs in every run.
SEED = 20260923
NUMBER = 2000

LISTED = [
    "https://app.example.com",
    "https://app.example.com:8443",
    "https://example.com",
    "https://192.0.2.1",
    "https://[2001:db8::1]",
    "https://xn--mnchen-3ya.example",
    "http://localhost:3000",
    "http://127.0.0.1",
    "http://[::1]:8000",
]
ODD = [
    *"\t\n\r\0\x01\x1f\x7f\\@:/?#% .;&=+,~*!$'()[]<>{}|^`\"_-",
    "\xa0",
    "\xad",
    "\u200b",
    "\u2028",
    "\ufeff",
    "é",
    "ß",
]
# What browsers map to a dot, a slash, a letter or a digit of a host name.
ODD += ["\u3002", "\uff0e", "\uff61", "\uff0f", "\u2044", "\u2100", "\uff41", "\u0661", "\u212a", "\U0001d552"]
ODD += ["%00", "%09", "%2e", "%2f", "%40", "%5c", "%61", "%e3%80%82", "&#46;", "xn--", "//", "\\\\", "..", "0x", "00"]

SCHEMES = (
    ["https"] * 30 + ["http"] * 8 + ["HTTPS", "hTtPs", "https:https", "javascript", "data", "file", "ftp", "ws", ""]
)
SEPARATORS = ["://"] * 20 + [":/", ":", ":///", ":\\\\", ":/\\", "//", ":\t//", ":/\t/", ":\n//", "://\\"]
USERS = [""] * 20 + ["user@", "user:pw@", "app.example.com@", "app.example.com:443@", "%40@", "a\\@", "@", ":@", "a@b@"]
HOSTS = [urlsplit(origin).netloc for origin in LISTED] * 25 + [
    *["APP.EXAMPLE.COM", "App.Example.Com:8443", "app.example.com.", "app.example.com..", ".app.example.com", "a..b"],
    *["app.example.com.evil.example", "evil.example", "app.example.com:443", "app.example.com:0443", "app.example.com:"],
    *["app.example.com:65535", "app.example.com:65536", "app.example.com:99999", "app.example.com:-1", "example.com:0"],
    *["app.example.com:٤٤٣", "app.example.com:8443:8443", "app.example.com:84 43", "app.example.com:0x1bb", "a_b.example"],
    # 192.0.2.1 and 127.0.0.1, shortened, in octal, in hexadecimal, as one number, with a dot behind.
    *["192.0.513", "192.513", "3221225985", "0xc0000201", "0300.0.2.1", "0xc0.0.2.1", "192.0.2.01", "192.0.2.1."],
    *["127.1", "127.0.1", "2130706433", "0x7f000001", "017700000001", "0177.1", "127.0.0.1.", "0", "0.0.0.0", "1.2.3.4.5"],
    *["256.0.0.1", "192.0.2", "192.0.2.1.example", "example.1", "example.0x1", "1.example", "192.0.2.1%00", "１９２.0.2.1"],
    *["[2001:DB8::1]", "[2001:0db8::1]", "[2001:db8:0:0:0:0:0:1]", "[2001:db8::1%25eth0]", "[::1]", "[0::1]", "[::]"],
    *["[::ffff:192.0.2.1]", "[::ffff:c000:201]", "[::192.0.2.1]", "[2001:db8::1", "2001:db8::1", "[v1.a]", "[]", "[::1]."],
    *["[1:0:0:2::3]", "[1:0:0:2:0:0:0:3]", "[1::2:0:0:3]", "[::1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7::]", "[0:1:2:3:4:5:6:7]"],
    *["xn--mnchen-3ya.example", "XN--MNCHEN-3YA.example", "münchen.example", "xn--a.example", "xn--.example", "xn--zz--"],
    *["xn--80ak6aa92e.com", "xn--app-.example.com", "a--b.example", "ab--cd.example", "-a.example", "a-.example"],
    *["localhost", "LOCALHOST:3000", "localhost.", "a.localhost", "localhost.evil.example", "127.0.0.1.evil.example", ""],
    *["a" * 63 + ".example", "a" * 64 + ".example", ".".join(["a" * 49] * 5) + ".ab", "%61pp.example.com"],
    *["app%2eexample.com", "xn--a-ecp.ru"],
]  # fmt: skip
RESTS = [
    "",
    "/",
    "/a/b?c=d&e#f",
    "?x=1",
    "#x",
    "/@evil.example",
    "?@evil.example",
    "#@evil.example",
    "/../..//evil.example",
]
RESTS += [
    "\\evil.example",
    "/\\evil.example",
    "//evil.example",
    ":80/",
    ".evil.example/",
    "@evil.example/",
    "/%5c%2f",
    "/a b",
]


def urls(dice: random.Random) -> list[str]:
    """Return URLs built from parts of which many are odd, some of them with something odd put in somewhere."""
    made = dict.fromkeys(f"https://{host}/" for host in HOSTS)
    while len(made) < NUMBER:
        url = "".join(dice.choice(parts) for parts in (SCHEMES, SEPARATORS, USERS, HOSTS, RESTS))
        if dice.random() < 0.3:
            place = dice.randint(0, len(url))
            url = url[:place] + dice.choice(ODD) + url[place:]
        made[url] = None
    return list(made)


def origins_in_chromium(candidates: list[str]) -> list[str | None]:
    """Return for each URL what Chromium takes for its origin; None where it finds no URL in it."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        script = "urls => urls.map(url => { try { return new URL(url).origin } catch { return null } })"
        found = browser.new_page().evaluate(script, candidates)
        browser.close()
    return found


def accepted(url: str, listed: list[str]) -> bool:
    try:
        return check_return_url(url, listed) == url
    except OriginError:
        return False


@pytest.fixture(scope="module")
def read() -> dict[str, str | None]:
    """Return every URL with its origin by Chromium."""
    candidates = urls(random.Random(SEED))
    # In a thread, because the other tests of this folder have an event loop of playwright's running in this one.
    with ThreadPoolExecutor(1) as pool:
        return dict(zip(candidates, pool.submit(origins_in_chromium, candidates).result(), strict=True))


def test_the_sample_is_worth_something(read: dict[str, str | None]) -> None:
    in_list = [url for url, origin in read.items() if origin in LISTED]
    # Many that lead to a listed origin, of which many are accepted and many are too odd; many that lead elsewhere.
    assert len(read) >= NUMBER
    assert sum(accepted(url, LISTED) for url in in_list) > 80
    assert sum(not accepted(url, LISTED) for url in in_list) > 80
    assert sum(origin is not None and origin not in LISTED for origin in read.values()) > 80
    assert sum(origin is None for origin in read.values()) > 80


def test_accepted_urls_lead_to_a_listed_origin(read: dict[str, str | None]) -> None:
    astray = {url: origin for url, origin in read.items() if accepted(url, LISTED) and origin not in LISTED}
    assert astray == {}


def test_whatever_is_listed_we_and_chromium_read_one_origin(read: dict[str, str | None]) -> None:
    # Harder: as if the operator had listed what we take for the URL's origin, whatever it is.
    ours = {url: origin_of(url) for url in read}
    astray = {url: origin for url, origin in read.items() if accepted(url, [ours[url] or ""]) and origin != ours[url]}
    assert astray == {}
