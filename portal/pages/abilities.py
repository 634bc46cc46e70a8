"""What each capability lets a person do, in plain words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

__all__ = ["ABILITIES"]

#: By capability; see :data:`portal.permissions.CAPABILITIES`.
ABILITIES = {
    "keys:read": gettext_lazy("See API keys"),
    "keys:create": gettext_lazy("Create API keys"),
    "keys:reroll": gettext_lazy("Rotate API keys"),
    "keys:update": gettext_lazy("Edit API keys"),
    "keys:delete": gettext_lazy("Revoke API keys"),
    "analytics:read": gettext_lazy("See usage"),
}
