"""Validators of the models' fields; the admin, the commands and the API all refuse through them, in the same words."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal import brand, origins, permissions, slugs

__all__ = [
    "validate_capabilities",
    "validate_color",
    "validate_origins",
    "validate_root_key_permissions",
    "validate_slug",
]


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


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Give a list of texts."), code="list")
    return value


def validate_origins(value: Any) -> None:
    """Refuse a list with anything but normal-form origins, as :func:`portal.origins.parse_origin` returns them."""
    for item in _strings(value):
        try:
            normal = origins.parse_origin(item)
        except origins.OriginError as error:
            raise ValidationError(f"{item}: {error}", code="origin") from None
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
