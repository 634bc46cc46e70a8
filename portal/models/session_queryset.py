"""The verbs on sessions: mint, end, purge. Exchanging is in exchange.py, the table itself in session.py."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, Unpack

from django.db import DatabaseError, models, transaction
from django.db.models.lookups import GreaterThan, LessThan
from django.views.decorators.debug import sensitive_variables

from portal import clock, destinations, permissions, tokens
from portal.conf import portal_settings
from portal.errors import Forbidden, KeyDisabled, PortalConfigNotFound, ServiceUnavailable
from portal.session_options import SessionOptions, given_options

from .config import PortalConfig
from .event import Actor, PortalEvent
from .exchange import ENDS, ExchangeQuerySet
from .issued import Issued
from .lock import lock
from .mint import Minted, mint
from .portal_facts import PortalFacts
from .root_key import RootKey

__all__ = ["PortalSessionQuerySet"]

#: How long an exchange that has begun may take to commit.
_IN_FLIGHT = timedelta(minutes=1)

if TYPE_CHECKING:
    from .session import PortalSession

logger = logging.getLogger("portal.audit")


class PortalSessionQuerySet(ExchangeQuerySet):
    """Sessions in bulk, and the verbs that make and end them."""

    def expired(self) -> Self:
        """Return the sessions whose time has run out, revoked or not."""
        now = clock.now()
        return self.filter(models.Q(exchanged_at=None, code_expires_at__lte=now) | models.Q(expires_at__lte=now))

    def in_state(self, state: str) -> Self:
        """Return the sessions whose :meth:`PortalSession.state` is ``state`` now; none if that is not a state."""
        now = clock.now()
        conditions = {
            "pending": models.Q(revoked_at=None, expires_at=None, code_expires_at__gt=now),
            "code_expired": models.Q(revoked_at=None, expires_at=None, code_expires_at__lte=now),
            "active": models.Q(revoked_at=None, expires_at__gt=now),
            "expired": models.Q(revoked_at=None, expires_at__lte=now),
            "revoked": models.Q(revoked_at__isnull=False),
        }
        return self.filter(conditions[state]) if state in conditions else self.none()

    @sensitive_variables("issued")
    def create_session(
        self,
        config: PortalConfig,
        external_id: str,
        granted: Iterable[str],
        *,
        actor: Actor,
        minted_by: int | None = None,
        **options: Unpack[SessionOptions],
    ) -> Issued[PortalSession]:
        """Mint a session for one end user and return it with its exchange code.

        :param granted: permissions as given, already checked against the root key's ceiling by the caller.
        :param actor: who mints, for the audit trail.
        :param minted_by: primary key of the root key that asks, None in process.
        :param options: see :class:`~portal.session_options.SessionOptions`; already checked by the caller.
        :raises PortalConfigNotFound: the portal was deleted meanwhile.
        :raises Forbidden: the portal is disabled.
        :raises KeyDisabled: the root key is disabled.
        :raises ServiceUnavailable: the portal was pointed at another keyspace meanwhile; the caller should repeat.
        """
        issued = self.mint(config, external_id, granted, actor=actor, minted_by=minted_by, **options)
        values = {**issued.row.values, "config": config, "minted_by_id": minted_by}
        del values["minted_by"]
        session = self.model(pk=issued.row.pk, **values)
        session._state.adding = False
        session._state.db = self._write_alias()
        return Issued(session, issued.secret)

    @sensitive_variables("code")
    def mint(
        self,
        config: PortalConfig | PortalFacts,
        external_id: str,
        granted: Iterable[str],
        *,
        actor: Actor,
        minted_by: int | None = None,
        **options: Unpack[SessionOptions],
    ) -> Issued[Minted]:
        """Do what :meth:`create_session` does, for a caller who needs no row."""
        given, chosen = list(granted), given_options(options)
        now = clock.now()
        code = tokens.mint(tokens.EXCHANGE_CODE)
        capabilities = permissions.ordered(config.capabilities_of(given))
        values = {
            "public_id": tokens.public_id(tokens.SESSION_ID),
            "config": config.pk,
            "keyspace_id": config.keyspace_id,
            "external_id": external_id,
            "display_name": "",
            "permissions": given,
            "capabilities": " ".join(capabilities),
            "preview": False,
            "return_url": "",
            "locale": "",
            "metadata": {},
            "ttl": portal_settings.SESSION_TTL,
            **chosen,
            "next": destinations.normal_form(chosen.get("next")),
            "minted_by": minted_by,
            "code_hash": tokens.digest(code),
            "code_expires_at": now + portal_settings.CODE_TTL,
            "created_at": now,
        }
        event = {
            "kind": PortalEvent.Kind.SESSION_CREATED.value,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "address": actor.address,
            "portal_id": config.public_id,
            "session_id": values["public_id"],
            "external_id": external_id,
            "detail": {"capabilities": capabilities},
            "created_at": now,
        }
        using = self._write_alias()
        minted = mint(self.model, values, event, using=using)
        if minted is None:
            raise _refusal(config, minted_by, using)
        return Issued(minted, code)

    def revoke(self, actor: Actor, *, reason: str, **values: Any) -> int:
        """End those of these sessions that are live, pending codes included, and return how many there were.

        Call it after writing whatever forbids new ones, in the same transaction. Ending succeeds even when its event
        cannot be written: a full audit table must not keep a stolen session alive.

        :param reason: one word for the audit trail, such as ``signed_out``.
        :param values: whose sessions these are: ``portal_id``, ``session_id``, ``external_id``, where they are one's; and
            ``metadata``, of a single session.
        """
        using = self._write_alias()
        kind = PortalEvent.Kind.SESSION_SIGNED_OUT if reason == "signed_out" else PortalEvent.Kind.SESSION_REVOKED
        with transaction.atomic(using=using):
            now = clock.now()
            # With codes that ran out a moment ago: an exchange that began before may not have committed yet.
            usable = models.Q(exchanged_at=None, code_expires_at__gt=now - _IN_FLIGHT) | models.Q(expires_at__gt=now)
            # What usable says anyway, in the words of the index.
            recent = GreaterThan(ENDS, now - _IN_FLIGHT)
            rows = self.using(using).filter(usable, recent, revoked_at=None).order_by()
            lock(rows)
            ended = rows.update(revoked_at=now)
            if ended:
                try:
                    with transaction.atomic(using=using):
                        PortalEvent.record(kind, actor, using=using, reason=reason, count=ended, **values)
                except DatabaseError:
                    logger.exception("%d sessions ended (%s), and the event could not be written", ended, reason)
                    PortalEvent.about(kind, actor, reason=reason, count=ended, **values).announce(using)
        return ended

    def revoke_for(self, config: PortalConfig, external_id: str, actor: Actor = PortalEvent.SYSTEM) -> int:
        """End all live sessions that one end user has at one portal and return their number."""
        return self.filter(config=config, external_id=external_id).revoke(
            actor, reason="revoked", portal_id=config.public_id, external_id=external_id
        )

    def ended_before(self, before: datetime) -> Self:
        """Return the sessions whose time ran out before ``before`` (aware). An index serves this."""
        return self.filter(LessThan(ENDS, before))

    def purge(self, before: datetime, batch_size: int) -> int:
        """Delete up to ``batch_size`` sessions whose time ran out before ``before`` and return their number.

        The condition stands in the DELETE itself, so a session that changed meanwhile is judged as it is now.
        """
        over = self.using(self._write_alias()).order_by().ended_before(before)
        # In one statement: thousands of keys sent there and back would cost more than the deletion.
        return over.filter(pk__in=over.order_by(ENDS).values("pk")[:batch_size]).delete()[0]


def _refusal(config: PortalConfig | PortalFacts, minted_by: int | None, using: str) -> Exception:
    """Return the refusal that now holds, after a mint found that its portal or root key had changed."""
    current = PortalConfig._base_manager.using(using).filter(pk=config.pk).first()
    if current is None:
        return PortalConfigNotFound()
    if not current.enabled:
        return Forbidden()
    if minted_by is not None and not RootKey._base_manager.using(using).filter(pk=minted_by, enabled=True).exists():
        return KeyDisabled()
    return ServiceUnavailable("The portal was changed meanwhile. Send the same request again.", retry_after=1)
