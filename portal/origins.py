r"""Origins and return URLs: what a portal may list, and which URL it may send a user back to.

A browser and ``urllib`` read odd URLs differently, and an attacker lives in that difference (``https:/\host``, tabs,
user info, ``https://127.1``). So a URL is accepted only in the one plain form that everything reads alike; whatever needs
interpretation is refused with a sentence that says what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

__all__ = ["MAX_URL_LENGTH", "OriginError", "check_return_url", "is_loopback", "origin_of", "parse_origin"]

MAX_URL_LENGTH = 500

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
# Printable ASCII without what browsers repair or strip: space, quotes, angle brackets, backslash, ^, `, {, |, }.
_REST = re.compile(r"(?:[/?#][!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*)?\Z", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII)


class OriginError(ValueError):
    """The origin or URL was refused; the text says what to write instead and is fit for a form or an API answer.

    It is English, and a message id of the app's translations: forms translate it, the API does not.
    """


def gettext_noop(text: str) -> str:
    """Return ``text``, which ``makemessages`` finds in this call; Django's function of this name would bring Django in."""
    return text


def _canonical_host(host: str) -> bool:
    """Say whether ``host`` (lower case) is in the form in which every parser leaves it."""
    try:
        if host.startswith("["):
            address = ipaddress.IPv6Address(host[1:-1])
            # Of an IPv4 address inside IPv6 each parser makes something else.
            return address.ipv4_mapped is None and address.compressed == host[1:-1]
        if host.rpartition(".")[2][:1].isdigit():
            # A last label that starts with a digit is a number to a browser: 127.1, 0x7f.1 and 2130706433 are 127.0.0.1.
            return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
    return all(_LABEL.match(label) for label in host.split("."))


def is_loopback(host: str) -> bool:
    """Say whether ``host`` (lower case, IPv6 in brackets) never leaves the machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(url: str, *, plain_http: bool = False) -> tuple[str, str]:
    """Return the normal form of the origin that ``url`` starts with, and the rest of ``url``.

    :param plain_http: take http from any host, not from loopback hosts only.
    """
    match = _ORIGIN.match(url)
    # "https://host@other" and "https://host\other" start with an origin that is not theirs.
    if match is None or url[match.end() : match.end() + 1] not in {"", "/", "?", "#"}:
        raise OriginError(gettext_noop("Start with https:// and a host name, without a user name or password."))
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    if not _canonical_host(host):
        raise OriginError(
            gettext_noop("Write the host in its plain form: a domain name in ASCII, or a full IP address.")
        )
    if port is not None and (not 0 < int(port) < 65536 or port != str(int(port))):
        raise OriginError(gettext_noop("Use a port from 1 to 65535."))
    if scheme == "http" and not plain_http and not is_loopback(host):
        raise OriginError(gettext_noop("Use https. Plain http is for this machine only (localhost, 127.0.0.1)."))
    origin = f"{scheme}://{host}"
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        origin += f":{port}"
    return origin, url[match.end() :]


def parse_origin(value: str) -> str:
    """Return ``value`` as a browser would send it in ``Origin``: lower case, without a default port.

    :raises OriginError: it is not ``https://host[:port]`` (``http`` for loopback hosts only), or more than an origin.
    """
    origin, rest = _split(value)
    if rest not in {"", "/"}:
        raise OriginError(gettext_noop("Give the origin only: scheme, host and port, without a path."))
    return origin


def origin_of(url: str) -> str | None:
    """Return the origin of ``url``, as a browser sent it or a setting holds it, or None if it has none.

    Only for comparing with what is listed: it takes http from any host, which a list never does.
    """
    try:
        return _split(url, plain_http=True)[0]
    except OriginError:
        return None


def check_return_url(url: str, return_origins: Iterable[str]) -> str:
    """Return ``url`` if a portal with these ``return_origins`` may send its users there.

    :param return_origins: as :func:`parse_origin` returns them; ports count.
    :raises OriginError: the URL is not absolute, not plain, too long or its origin is not listed.
    """
    if len(url) > MAX_URL_LENGTH:
        raise OriginError(gettext_noop("Use at most 500 characters."))
    origin, rest = _split(url)
    if _REST.match(rest) is None:
        raise OriginError(gettext_noop("Percent-encode spaces, quotes, backslashes and everything outside ASCII."))
    if origin not in return_origins:
        raise OriginError(
            gettext_noop("Use a URL whose origin (scheme, host and port) is among the portal's return origins.")
        )
    return url
