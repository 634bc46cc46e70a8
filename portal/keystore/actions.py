"""What a portal session does with its owner's keys: authorised, within the operator's policy, on record.

The API and the pages both go through here, so neither can forget one of the three.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import Error as DatabaseError
from django.db import router, transaction
from django.views.decorators.debug import sensitive_variables

from portal import clock
from portal.authenticate import AuthenticatedSession
from portal.errors import FieldError, InvalidInput
from portal.models import PortalConfig, PortalEvent

from . import get_key_store
from .base import IssuedKey, Key, KeyChanges, KeyPage, KeyQuery, NewKey, Owner
from .names import MAX_NAME, name_problem
from .policy import KeyPolicy
from .usage import MOST_KEYS, Usage, Window

__all__ = ["MAX_NAME", "SessionKeys", "name_problem"]

logger = logging.getLogger("portal.keystore")

_Answer = TypeVar("_Answer")


class SessionKeys:
    """The keys of one session's owner.

    Every method refuses first what the session may not do (``InsufficientPermissions``, ``Forbidden``), then what the
    policy does not allow (``InvalidInput``, with findings by member of the API's bodies), then raises what the store does.

    :param session: whose keys; the owner comes from it and from nowhere else.
    :param config: the session's portal.
    :param address: the client's, for the audit trail.
    """

    def __init__(self, session: AuthenticatedSession, config: PortalConfig, *, address: str | None = None) -> None:
        self.session = session
        self.owner = Owner(config, session.external_id)
        self.policy = KeyPolicy.of(config)
        self.store = get_key_store()
        self._address = address

    def list(self, query: KeyQuery) -> KeyPage:
        """Return a page of keys. Needs ``keys:read``, and ``analytics:read`` for an order by use, which tells of it."""
        self.session.require("keys:read")
        if query.by_usage:
            self.session.require("analytics:read")
        return self.store.list_keys(self.owner, query)

    def get(self, key_id: str) -> Key:
        """Return one key. Needs ``keys:read``."""
        self.session.require("keys:read")
        return self.store.get_key(self.owner, key_id)

    def usage(self, window: Window, key_ids: Sequence[str] | None = None) -> Usage:
        """Return how often all keys, or only these, were used, key by key. Needs ``analytics:read``."""
        self.session.require("analytics:read")
        found = self.store.usage(self.owner, window.start, window.end, bucket=window.bucket, key_ids=key_ids)
        return Usage.of(window, found, key_ids)

    def usage_summary(self, window: Window, since: datetime | None = None) -> Usage:
        """Return how often all keys were used, key by key for the :data:`MOST_KEYS` most used. Needs ``analytics:read``.

        :param since: the most used are those used most from then on, a bucket's beginning; None for all of the window.
        """
        self.session.require("analytics:read")
        if not self.store.supports_usage_summary:
            return self.usage(window).summary(MOST_KEYS, since or window.start)
        found = self.store.usage_summary(
            self.owner, window.start, window.end, bucket=window.bucket, most=MOST_KEYS, since=since or window.start
        )
        usage = Usage.of(window, found.buckets, others=found.others)
        # Who may not read keys may not read their names.
        return replace(usage, names=found.names) if self.session.allows("keys:read") else usage

    def usage_of(self, key_id: str, window: Window) -> Usage:
        """Return how often one key was used, if the owner has it: else somebody else's would differ from none."""
        self.session.require("analytics:read")
        self.store.get_key(self.owner, key_id)
        return self.usage(window, [key_id])

    @sensitive_variables("issued")
    def create(
        self,
        name: str,
        *,
        expires_at: datetime | None,
        permissions: tuple[str, ...] | None = None,
        request_id: str,
    ) -> IssuedKey:
        """Make a key. Needs ``keys:create``.

        :param expires_at: None for never; see :meth:`default_expiry`.
        :param permissions: None for the operator's default.
        :param request_id: see :meth:`portal.keystore.base.KeyStore.create_key`.
        """
        self.session.require("keys:create")
        chosen = self.offered_default if permissions is None else permissions
        new = NewKey(name.strip(), expires_at, chosen)
        self._check({"name": new.name, "expires_at": expires_at, "permissions": chosen})

        def detail(issued: IssuedKey) -> dict[str, Any]:
            return {"key_id": issued.key.id, "name": issued.key.name}

        return self._recorded(
            PortalEvent.Kind.KEY_CREATED,
            lambda: self.store.create_key(self.owner, new, request_id=request_id),
            detail,
        )

    @property
    def offered(self) -> tuple[str, ...]:
        """The permissions that users may choose from; none where the store knows no permissions."""
        return self.policy.permissions if self.store.supports_permissions else ()

    @property
    def offered_default(self) -> tuple[str, ...]:
        """Those that a new key has when nothing is said."""
        return self.policy.default_permissions if self.store.supports_permissions else ()

    def default_expiry(self) -> datetime:
        """Return when a key ends that is made now and says nothing."""
        return self.policy.default_expiry(clock.now())

    def update(self, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Change a key. Needs ``keys:update``.

        :param version: see :meth:`portal.keystore.base.KeyStore.update_key`.
        """
        self.session.require("keys:update")
        wanted: KeyChanges = {**changes}
        if "name" in wanted:
            wanted["name"] = wanted["name"].strip()
        self._check(wanted)
        return self._recorded(
            PortalEvent.Kind.KEY_CHANGED,
            lambda: self.store.update_key(self.owner, key_id, wanted, version=version),
            lambda key: {"key_id": key_id, "name": key.name, "fields": sorted(wanted)},
        )

    @sensitive_variables("issued")
    def reroll(self, key_id: str, *, grace: timedelta | None, request_id: str) -> IssuedKey:
        """Give a key a new secret. Needs ``keys:reroll``.

        :param grace: how long the present one stays; None for the portal's default.
        :param request_id: see :meth:`portal.keystore.base.KeyStore.reroll_key`.
        """
        self.session.require("keys:reroll")
        stays = self.policy.default_grace() if grace is None else grace
        if problem := self.policy.grace_problem(stays):
            raise _invalid([{"location": "body.expiration", "message": problem}])
        if not self.store.supports_grace:
            stays = timedelta(0)

        def detail(issued: IssuedKey) -> dict[str, Any]:
            old = issued.key.old_secret
            ends = old.ends_at if old else clock.now()
            return {"key_id": key_id, "name": issued.key.name, "old_secret_ends": clock.to_milliseconds(ends)}

        return self._recorded(
            PortalEvent.Kind.KEY_ROTATED,
            lambda: self.store.reroll_key(self.owner, key_id, grace=stays, request_id=request_id),
            detail,
        )

    def end_old_secret(self, key_id: str) -> Key:
        """End a key's old secret now. Needs ``keys:reroll``."""
        self.session.require("keys:reroll")
        if self.store.supports_grace:
            key = self.store.get_key(self.owner, key_id)
            if key.old_secret is None and not key.locked:
                # Nothing to end, and nothing to record.
                return key
        return self._recorded(
            PortalEvent.Kind.KEY_SECRET_ENDED,
            lambda: self.store.end_old_secret(self.owner, key_id),
            lambda key: {"key_id": key_id, "name": key.name},
        )

    def revoke(self, key_id: str) -> None:
        """Refuse a key for ever. Needs ``keys:delete``."""
        self.session.require("keys:delete")
        name = self.store.get_key(self.owner, key_id).name if self.store.supports_revoke else ""
        self._recorded(
            PortalEvent.Kind.KEY_REVOKED,
            lambda: self.store.revoke_key(self.owner, key_id),
            lambda nothing: {"key_id": key_id, "name": name},
        )

    def _check(self, values: KeyChanges) -> None:
        """Refuse what the policy does not allow.

        :raises InvalidInput: with a finding for each member.
        """
        problems: list[FieldError] = []
        if "name" in values and (problem := name_problem(values["name"])):
            problems.append({"location": "body.name", "message": problem})
        if "expires_at" in values and (problem := self.policy.expiry_problem(values["expires_at"], clock.now())):
            problems.append({"location": "body.expires", "message": problem})
        for index, permission in enumerate(values.get("permissions", ())):
            if permission not in self.offered:
                text = f"This permission is not offered. There are: {', '.join(self.offered) or 'none'}."
                problems.append({"location": f"body.permissions[{index}]", "message": text})
        if problems:
            raise _invalid(problems)

    def _recorded(self, kind: str, act: Callable[[], _Answer], detail: Callable[[_Answer], dict[str, Any]]) -> _Answer:
        """Do ``act`` and record it: in one transaction where the store shares ours (design decision 18)."""
        using = router.db_for_write(PortalEvent)

        def record(answer: _Answer) -> None:
            PortalEvent.record(
                kind,
                self.session.actor(self._address),
                using=using,
                portal_id=self.session.portal_id,
                session_id=self.session.id,
                external_id=self.session.external_id,
                metadata=self.session.metadata,
                **detail(answer),
            )

        if self.store.time_limit is None:
            with transaction.atomic(using=using):
                answer = act()
                record(answer)
            return answer
        answer = act()
        try:
            with transaction.atomic(using=using):
                record(answer)
        except DatabaseError:
            # Done elsewhere and not to be taken back; the caller must get the secret, which nobody can show again.
            logger.exception("%s happened and could not be recorded, by session %s", kind, self.session.id)
        return answer


def _invalid(problems: list[FieldError]) -> InvalidInput:
    return InvalidInput("The request asks for what this portal does not allow.", errors=problems)
