"""What the pages that say no say (ui-spec 2.4): the status, what happened, what to do, and the one main link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.conf import portal_settings

__all__ = ["REFUSALS", "Mention", "Refusal", "duration", "words"]

#: What a text may mention.
Mention: TypeAlias = timedelta | str | Promise


@dataclass(frozen=True, slots=True)
class Refusal:
    """One page. Texts may mention ``%(app)s``, ``%(session_life)s``, ``%(code_life)s`` and what ``Refused`` was given."""

    status: int
    title: str | Promise
    text: str | Promise
    #: Where the one main link leads: back to the product, to the first page inside, to the portal's address, or nowhere.
    link: Literal["back", "home", "start", ""]


REFUSALS = {
    "no_session": Refusal(
        401,
        gettext_lazy("Open this page from %(app)s"),
        gettext_lazy(
            "For your security this page has no password. Go back to %(app)s and follow the link to your API keys."
        ),
        "back",
    ),
    "session_ended": Refusal(
        401,
        gettext_lazy("Your session has ended"),
        gettext_lazy("Sessions last %(session_life)s. Open the portal again from %(app)s. Nothing you saved was lost."),
        "back",
    ),
    "signed_out": Refusal(
        401,
        gettext_lazy("You are signed out"),
        gettext_lazy("To come back, open this page from %(app)s."),
        "back",
    ),
    "not_saved": Refusal(
        401,
        gettext_lazy("Your session has ended"),
        gettext_lazy(
            "Sessions last %(session_life)s. Open the portal again from %(app)s, then make your change once more."
        ),
        "back",
    ),
    "dead_link": Refusal(
        401,
        gettext_lazy("This link no longer works"),
        gettext_lazy("Each link works once and only for %(code_life)s. Go back to %(app)s to get a new one."),
        "back",
    ),
    "cookies_blocked": Refusal(
        401,
        gettext_lazy("Your browser blocked the sign-in"),
        gettext_lazy("Allow cookies for this site, then open it again from %(app)s."),
        "back",
    ),
    "form_out_of_date": Refusal(
        403,
        gettext_lazy("This form is out of date"),
        gettext_lazy("Go back, reload the page and try again."),
        "home",
    ),
    "closed": Refusal(
        403,
        gettext_lazy("This portal is closed"),
        gettext_lazy("%(app)s has switched it off. Your API keys keep working."),
        "back",
    ),
    "no_capability": Refusal(
        403,
        gettext_lazy("You can’t use this page"),
        gettext_lazy("Your access to %(app)s doesn’t include “%(ability)s”. Ask %(app)s if you need it."),
        "home",
    ),
    "changes_off": Refusal(
        403,
        gettext_lazy("Changes are switched off"),
        gettext_lazy("This is a preview: it can look at everything and change nothing."),
        "home",
    ),
    "not_allowed": Refusal(
        403,
        gettext_lazy("This is not allowed"),
        gettext_lazy("%(app)s does not allow it. Ask %(app)s if you need it."),
        "back",
    ),
    "key_locked": Refusal(
        403,
        gettext_lazy("This key is locked"),
        gettext_lazy("%(app)s locked it, so it can’t be changed. Ask %(app)s to unlock it."),
        "home",
    ),
    "not_found": Refusal(
        404,
        gettext_lazy("Page not found"),
        gettext_lazy("The address may be mistyped, or the key was removed."),
        "home",
    ),
    # Of an address that no page has; the page does not know whether somebody is signed in.
    "no_page": Refusal(
        404,
        gettext_lazy("Page not found"),
        gettext_lazy("The address may be mistyped."),
        "start",
    ),
    "unknown_slug": Refusal(
        404,
        gettext_lazy("Page not found"),
        gettext_lazy("The address may be mistyped."),
        "",
    ),
    "method": Refusal(
        405,
        gettext_lazy("That didn’t work"),
        gettext_lazy("Use the buttons on the page instead of the address bar."),
        "home",
    ),
    "bad_request": Refusal(
        400,
        gettext_lazy("That didn’t work"),
        gettext_lazy("The form could not be read. Go back, reload the page and try again."),
        "home",
    ),
    "conflict": Refusal(
        409,
        gettext_lazy("This was done already"),
        gettext_lazy("The same form arrived a second time. Nothing was done twice."),
        "home",
    ),
    "too_many": Refusal(
        429,
        gettext_lazy("Too many requests"),
        gettext_lazy("Wait %(wait)s, then try again."),
        "home",
    ),
    "error": Refusal(
        500,
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("Your keys keep working. Try again in a minute."),
        "",
    ),
    "keys_failed": Refusal(
        502,
        gettext_lazy("Your keys can’t be shown right now"),
        gettext_lazy("Your keys keep working. Try again in a minute."),
        "",
    ),
    "keys_unavailable": Refusal(
        503,
        gettext_lazy("Your keys can’t be shown right now"),
        gettext_lazy("Your keys keep working. Try again in a minute."),
        "",
    ),
    "unavailable": Refusal(
        503,
        gettext_lazy("The portal is being updated"),
        gettext_lazy("Back in a few minutes. Your keys keep working."),
        "",
    ),
}


def words(refusal: Refusal, app_name: str, values: dict[str, Mention]) -> tuple[str, str]:
    """Return the title and the text of ``refusal`` in the active language."""
    mentions = {
        "app": app_name or _("the product that sent you"),
        "session_life": duration(portal_settings.SESSION_TTL),
        "code_life": duration(portal_settings.CODE_TTL),
        **{name: duration(value) if isinstance(value, timedelta) else value for name, value in values.items()},
    }
    return str(refusal.title) % mentions, str(refusal.text) % mentions


def duration(length: timedelta) -> str:
    """Return ``length`` in words of the active language: hours where they are whole, else minutes, else seconds."""
    seconds = int(length.total_seconds())
    if seconds % 3600 == 0:
        hours = seconds // 3600
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if seconds % 60 == 0:
        minutes = seconds // 60
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
