"""What a session may do and what a root key may hand out (design decisions 12 and 13; wire contract, createSession).

Two vocabularies name the same six capabilities: the capability itself (``keys:read``) and the older RBAC tuple
(``api.*.read_key``), which is read by its action. Both are accepted wherever permissions are accepted. Sessions store
what was given and, beside it, the capabilities that it meant for the portal's keyspace; only capabilities are ever checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "CAPABILITIES",
    "EVERYTHING",
    "MINT_ANY_SESSION",
    "PORTAL_ACTIONS",
    "WRITES",
    "capabilities_of",
    "is_capability",
    "is_root_key_permission",
    "is_session_permission",
    "may_act",
    "may_mint",
    "missing_capabilities",
    "ordered",
    "verifiable_keyspaces",
]

#: All capabilities, in the order in which pages and answers list them. Each grants exactly itself.
CAPABILITIES = ("keys:read", "keys:create", "keys:reroll", "keys:update", "keys:delete", "analytics:read")

#: The capabilities that change something, which a preview session never may (design decision 15).
WRITES = frozenset({"keys:create", "keys:reroll", "keys:update", "keys:delete"})

#: The root-key permission that grants all others, those of later releases included.
EVERYTHING = "*"

#: What a root key holds when nothing is said: it may mint any session and nothing else.
MINT_ANY_SESSION = ("portal.*.create_portal_session", *CAPABILITIES)

_BY_ACTION = {
    "read_key": frozenset({"keys:read"}),
    "create_key": frozenset({"keys:create", "keys:reroll"}),
    "update_key": frozenset({"keys:update"}),
    "delete_key": frozenset({"keys:delete"}),
    "read_analytics": frozenset({"analytics:read"}),
}
#: What a root key may do with portals themselves: the actions of tuples such as ``portal.*.read_portal``.
PORTAL_ACTIONS = ("create_portal", "read_portal", "update_portal", "delete_portal", "create_portal_session")
_MINT_ACTION = "create_portal_session"
_VERIFY_ACTION = "verify_key"

# The contract's pattern. \Z because "$" would admit a trailing newline.
_TUPLE = re.compile(r"([^.]+)\.([^.]+)\.([^.]+)\Z")


def is_capability(value: str) -> bool:
    """Say whether ``value`` is one of the six :data:`CAPABILITIES`."""
    return value in CAPABILITIES


def is_session_permission(value: str) -> bool:
    """Say whether createSession takes ``value``: a capability, or any three non-empty segments joined by dots.

    The contract does not check a tuple's words; one that means nothing here opens the docs and no more.
    """
    return is_capability(value) or _TUPLE.match(value) is not None


def is_root_key_permission(value: str) -> bool:
    """Say whether a root key may hold ``value``.

    Stricter than for sessions: a tuple with an unknown action would grant nothing, so it can only be a mistake.
    """
    if value == EVERYTHING or is_capability(value):
        return True
    match = _TUPLE.match(value)
    if match is None:
        return False
    resource_type, _, action = match.groups()
    if action in PORTAL_ACTIONS:
        return resource_type == "portal"
    if action == _VERIFY_ACTION:
        return resource_type == "api"
    return action in _BY_ACTION


def capabilities_of(permissions: Iterable[str], keyspace_id: str) -> frozenset[str]:
    """Return the capabilities that ``permissions`` mean for the keyspace ``keyspace_id``.

    A tuple counts when its resource is ``*`` or exactly this keyspace. Another keyspace, an unknown action and ``*`` as
    an action grant nothing: a wildcard over actions would silently grow with each release.
    """
    found: set[str] = set()
    for permission in permissions:
        if is_capability(permission):
            found.add(permission)
        elif match := _TUPLE.match(permission):
            _, resource, action = match.groups()
            if resource in {"*", keyspace_id}:
                found |= _BY_ACTION.get(action, frozenset())
    return frozenset(found)


def ordered(capabilities: Iterable[str]) -> list[str]:
    """Return ``capabilities`` in the order of :data:`CAPABILITIES`, each once."""
    wanted = set(capabilities)
    return [capability for capability in CAPABILITIES if capability in wanted]


def may_act(root_key_permissions: Iterable[str], action: str, portal_id: str = "*") -> bool:
    """Say whether a root key with these permissions may do ``action`` with the portal ``portal_id`` (``prt_…``).

    :param action: one of :data:`PORTAL_ACTIONS`.
    :param portal_id: ``*`` for what is asked of no portal in particular, as creating one is.
    """
    grants = {EVERYTHING, f"portal.*.{action}", f"portal.{portal_id}.{action}"}
    return not grants.isdisjoint(root_key_permissions)


def may_mint(root_key_permissions: Iterable[str], portal_id: str) -> bool:
    """Say whether a root key with these permissions may mint sessions for the portal ``portal_id`` (``prt_…``)."""
    return may_act(root_key_permissions, _MINT_ACTION, portal_id)


def verifiable_keyspaces(root_key_permissions: Iterable[str]) -> frozenset[str]:
    """Return the ids of the keyspaces whose keys a root key with these permissions may verify; ``*`` stands for all.

    Each comes from ``api.<keyspace id>.verify_key``, ``*`` also from :data:`EVERYTHING`.
    """
    found = set()
    for permission in root_key_permissions:
        match = _TUPLE.match(permission)
        if permission == EVERYTHING:
            found.add("*")
        elif match is not None and match[1] == "api" and match[3] == _VERIFY_ACTION:
            found.add(match[2])
    return frozenset(found)


def missing_capabilities(requested: Iterable[str], root_key_permissions: Iterable[str], keyspace_id: str) -> list[str]:
    """Return the capabilities in ``requested`` that a root key does not hold itself; empty when it may grant all.

    The delegation ceiling (security requirement 23): nobody hands out more than they have. Both sides are compared as
    capabilities of this keyspace, so that neither vocabulary is a way around the other.
    """
    held = list(root_key_permissions)
    if EVERYTHING in held:
        return []
    return ordered(capabilities_of(requested, keyspace_id) - capabilities_of(held, keyspace_id))
