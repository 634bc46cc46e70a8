"""Validators of the models' fields; the admin, the commands and the API all refuse through them, in the same words."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal import brand, origins, permissions, slugs, tokens
from portal.session_options import is_locale

__all__ = [
    "validate_capabilities",
    "validate_color",
    "validate_grace_periods",
    "validate_key_permissions",
    "validate_key_prefix",
    "validate_locale",
    "validate_origins",
    "validate_root_key_permissions",
    "validate_slug",
]

#: A year, in seconds.
_LONGEST_GRACE = 366 * 86400
_MAX_GRACE_PERIODS = 10
_MAX_KEY_PERMISSIONS = 100
# No white space and no parentheses: verifyKey takes an expression of names, "and", "or" and parentheses.
_KEY_PERMISSION = re.compile(r"[0-9A-Za-z_.:*/-]{1,100}\Z")


def validate_slug(value: str) -> None:
    """Refuse a slug that breaks the contract's rule or is a reserved word."""
    if not slugs.is_slug(value):
        raise ValidationError(
            _(
                "Use 3 to 64 lowercase letters, digits and single hyphens, with a letter or digit at both ends, "
                "for example “my-portal”."
            ),
            code="slug",
        )
    if slugs.is_reserved(value):
        raise ValidationError(_("This word is reserved for other addresses. Choose another slug."), code="reserved")


def validate_color(value: str) -> None:
    """Refuse anything but ``#rrggbb``: the value ends up in a stylesheet."""
    if not brand.is_color(value):
        raise ValidationError(_("Write the color as # and six hexadecimal digits, for example #2563eb."), code="color")


def validate_locale(value: str) -> None:
    """Refuse what is not written as a language code, as the mint of a session does."""
    if not is_locale(value):
        raise ValidationError(_("Use a language code such as de or pt-BR."), code="locale")


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Enter a list of strings."), code="list")
    return value


def validate_origins(value: Any) -> None:
    """Refuse a list with anything but normal-form origins, as :func:`portal.origins.parse_origin` returns them."""
    for item in _strings(value):
        try:
            normal = origins.parse_origin(item)
        except origins.OriginError as error:
            raise ValidationError(
                "%(item)s: %(problem)s", code="origin", params={"item": item, "problem": _(str(error))}
            ) from None
        if normal != item:
            raise ValidationError(
                _("%(item)s: write it as %(normal)s."), code="origin", params={"item": item, "normal": normal}
            )


def validate_capabilities(value: Any) -> None:
    """Refuse a list with anything but the six capabilities."""
    for item in _strings(value):
        if not permissions.is_capability(item):
            raise ValidationError(
                _("%(item)s is not a capability. There are: %(all)s."),
                code="capability",
                params={"item": item, "all": ", ".join(permissions.CAPABILITIES)},
            )


def validate_root_key_permissions(value: Any) -> None:
    """Refuse a list with a permission that a root key cannot hold (design decision 13)."""
    for item in _strings(value):
        if not permissions.is_root_key_permission(item):
            raise ValidationError(
                _(
                    "%(item)s is not a permission of a root key. Use *, portal.*.create_portal_session, "
                    "a capability such as keys:read, or a tuple such as api.*.read_key."
                ),
                code="permission",
                params={"item": item},
            )


def validate_key_prefix(value: str) -> None:
    """Refuse a prefix that :func:`portal.tokens.is_api_key_prefix` refuses."""
    if not tokens.is_api_key_prefix(value):
        raise ValidationError(
            _(
                "Use 1 to 16 lowercase letters, digits and single underscores, a letter first, for example “acme_live”. "
                "prk, pst and pat are the portal's own."
            ),
            code="prefix",
        )


def validate_key_permissions(value: Any) -> None:
    """Refuse a list with what cannot name a permission of an API key, or with one twice."""
    names = _strings(value)
    for item in names:
        if not _KEY_PERMISSION.match(item) or item.lower() in {"and", "or"}:
            raise ValidationError(
                _("%(item)s: use 1 to 100 letters, digits and any of _ . : * / -, for example maps.read."),
                code="permission",
                params={"item": item},
            )
    if len(set(names)) < len(names) or len(names) > _MAX_KEY_PERMISSIONS:
        raise ValidationError(_("Give each permission once, and at most 100 of them."), code="list")


def validate_grace_periods(value: Any) -> None:
    """Refuse anything but a rising list of 1 to 10 whole numbers of seconds, none longer than a year."""
    numbers = value if isinstance(value, list) else []
    if (
        not 1 <= len(numbers) <= _MAX_GRACE_PERIODS
        or not all(type(item) is int and 0 <= item <= _LONGEST_GRACE for item in numbers)
        or sorted(set(numbers)) != numbers
    ):
        raise ValidationError(
            _("Give 1 to 10 whole numbers of seconds, the shortest first, for example 0, 3600, 86400."), code="grace"
        )
