"""What there is to see of a key's secrets."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret

__all__ = ["secrets_table"]


def secrets_table(key: ApiKey) -> SafeString | str:
    """Return a table of the secrets: their starts, when they end and were used; never a hash, nor how long they are."""
    rows = [
        (f"{secret.start}…", _ends(secret), _moment(secret.created_at), _moment(secret.last_used_at))
        for secret in key.secrets.order_by("-pk")
    ]
    if not rows:
        return _("No secrets remain.")
    head = (_("Starts with"), _("Ends"), _("Created"), _("Last used"))
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", '<th scope="col">{}</th>', ([title] for title in head)),
        format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows),
    )


def _ends(secret: KeySecret) -> str:
    if secret.ends_at is None:
        return _("with the key")
    moment = _moment(secret.ends_at)
    return moment if secret.ends_at > clock.now() else _("ended %(moment)s") % {"moment": moment}


def _moment(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else "-"
