"""The verbs on sessions: mint, exchange, give a lost answer again, end, purge.

The table itself is in session.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes
from django.views.decorators.debug import sensitive_variables

from portal import clock, permissions, tokens
from portal.conf import portal_settings
from portal.errors import Forbidden, KeyDisabled, PortalConfigNotFound, PortalSessionNotFound, ServiceUnavailable

from .config import PortalConfig
from .event import Actor, PortalEvent
from .insert import Guard, insert_if
from .issued import Issued
from .root_key import RootKey

__all__ = ["LOST_ANSWER_WINDOW", "PortalSessionQuerySet"]

#: How long after an exchange the same browser may ask for the same answer again (design decision 6).
LOST_ANSWER_WINDOW = timedelta(seconds=60)

if TYPE_CHECKING:
    from .session import PortalSession

logger = logging.getLogger("portal.audit")


class PortalSessionQuerySet(models.QuerySet["PortalSession"]):
    """Sessions in bulk, and the verbs that make and spend them."""

    def live(self) -> Self:
        """Return the sessions that can still be used: codes not yet exchanged, and tokens not yet ended."""
        now = clock.now()
        return self.filter(
            models.Q(exchanged_at=None, code_expires_at__gt=now) | models.Q(expires_at__gt=now), revoked_at=None
        )

    def expired(self) -> Self:
        """Return the sessions whose time has run out, revoked or not."""
        now = clock.now()
        return self.filter(models.Q(exchanged_at=None, code_expires_at__lte=now) | models.Q(expires_at__lte=now))

    @sensitive_variables("code", "issued")
    def create_session(
        self,
        config: PortalConfig,
        external_id: str,
        granted: Iterable[str],
        *,
        actor: Actor,
        minted_by: int | None = None,
        display_name: str = "",
        preview: bool = False,
        return_url: str = "",
    ) -> Issued[PortalSession]:
        """Mint a session for one end user and return it with its exchange code.

        :param granted: permissions as given, already checked against the root key's ceiling by the caller.
        :param actor: who mints, for the audit trail.
        :param minted_by: primary key of the root key that asks, None in process.
        :param return_url: already checked against the portal's return origins; empty for the portal's own.
        :raises PortalConfigNotFound: the portal was deleted meanwhile.
        :raises Forbidden: the portal is disabled.
        :raises KeyDisabled: the root key is disabled.
        :raises ServiceUnavailable: the portal was pointed at another keyspace meanwhile; the caller should repeat.
        """
        given = list(granted)
        now = clock.now()
        code = tokens.mint(tokens.EXCHANGE_CODE)
        capabilities = permissions.capabilities_of(given, config.keyspace_id)
        if "keys:read" in capabilities:
            capabilities |= frozenset(config.extra_capabilities)
        session = self.model(
            config=config,
            keyspace_id=config.keyspace_id,
            external_id=external_id,
            display_name=display_name,
            permissions=given,
            capabilities=" ".join(permissions.ordered(capabilities)),
            preview=preview,
            return_url=return_url,
            code_hash=tokens.digest(code),
            code_expires_at=now + portal_settings.CODE_TTL,
            minted_by_id=minted_by,
            created_at=now,
        )
        guards = [Guard(PortalConfig, {"id": config.pk, "enabled": True, "keyspace_id": config.keyspace_id})]
        if minted_by is not None:
            guards.append(Guard(RootKey, {"id": minted_by, "enabled": True}))
        using = self._write_alias()
        with transaction.atomic(using=using):
            if insert_if(session, *guards, using=using):
                kind = PortalEvent.Kind.SESSION_CREATED
                PortalEvent.record(kind, actor, using=using, permissions=given, **session.event_ids())
                return Issued(session, code)
        raise _refusal(config, minted_by, using)

    @sensitive_variables("code", "token", "replaces")
    def exchange(
        self,
        code: str,
        *,
        address: str | None = None,
        slug: str | None = None,
        token: str | None = None,
        replaces: str | None = None,
    ) -> Issued[PortalSession]:
        """Spend ``code`` and return the session with its access token; of any number of callers, one succeeds.

        :param slug: when given, only a code of this portal counts.
        :param token: the access token to use instead of a random one; see :func:`portal.tokens.derive`.
        :param replaces: an access token whose session ends in the same transaction, if it is another live session.
        :raises PortalSessionNotFound: the code is unknown, used, expired, revoked, or its portal is closed.
        """
        now = clock.now()
        token = token or tokens.mint(tokens.ACCESS_TOKEN)
        portals = PortalConfig.objects.enabled()
        if slug is not None:
            portals = portals.filter(slug=slug)
        using = self._write_alias()
        rows = self.using(using)
        # The UPDATE comes first and carries every condition on its own columns: with a SELECT before it, or a filter
        # across the relation, two callers can both win (design section 2, tried).
        with transaction.atomic(using=using):
            won = rows.filter(
                code_hash=tokens.digest(code),
                exchanged_at=None,
                revoked_at=None,
                code_expires_at__gt=now,
                config__in=portals,
            ).update(token_hash=tokens.digest(token), exchanged_at=now, expires_at=now + portal_settings.SESSION_TTL)
            if won:
                session = rows.select_related("config").get(token_hash=tokens.digest(token))
                actor = session.end_user(address)
                PortalEvent.record(PortalEvent.Kind.SESSION_EXCHANGED, actor, using=using, **session.event_ids())
                if replaces:
                    previous = rows.filter(token_hash=tokens.digest(replaces)).exclude(pk=session.pk)
                    previous.revoke(actor, reason="replaced", external_id=session.external_id)
        if not won:
            raise PortalSessionNotFound
        return Issued(session, token)

    @sensitive_variables("code")
    def note_replay(self, code: str, address: str | None) -> None:
        """Record that a used code came back, the first time it does: a stolen link shows itself that way.

        Only the first, so that a stranger with one old link cannot fill the table.
        """
        used = self.using(self._write_alias()).filter(code_hash=tokens.digest(code)).exclude(exchanged_at=None)
        session = used.filter(replayed_at=None).select_related("config").first()
        if session is None:
            return
        with transaction.atomic(using=used.db):
            if used.filter(replayed_at=None).update(replayed_at=clock.now()):
                nobody = Actor(PortalEvent.ActorKind.END_USER, address=address)
                PortalEvent.record(PortalEvent.Kind.SESSION_REPLAYED, nobody, using=used.db, **session.event_ids())

    @sensitive_variables("code", "browser_nonce", "token")
    def recover(self, code: str, browser_nonce: str, *, slug: str) -> Issued[PortalSession] | None:
        """Return the answer of an exchange again, to the browser whose answer got lost, or None.

        It is the same browser when the stored token is the one derived from its nonce, under SECRET_KEY or a fallback.
        Nothing is written: no event, no new token (design decision 6).
        """
        rows = self.using(self._write_alias()).live().select_related("config")
        session = rows.filter(
            code_hash=tokens.digest(code),
            exchanged_at__gt=clock.now() - LOST_ANSWER_WINDOW,
            config__slug=slug,
            config__enabled=True,
        ).first()
        if session is None or session.token_hash is None:
            return None
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            token = tokens.derive(code, browser_nonce, force_bytes(key))
            if constant_time_compare(tokens.digest(token), bytes(session.token_hash)):
                return Issued(session, token)
        return None

    def revoke(self, actor: Actor, *, reason: str, **ids: str) -> int:
        """End those of these sessions that are live, pending codes included, and return how many there were.

        Call it after writing whatever forbids new ones, in the same transaction. Ending succeeds even when its event
        cannot be written: a full audit table must not keep a stolen session alive.

        :param reason: one word for the audit trail, such as ``signed_out``.
        :param ids: whose sessions these are: ``portal_id``, ``session_id``, ``external_id``, where they are one's.
        """
        using = self._write_alias()
        kind = PortalEvent.Kind.SESSION_SIGNED_OUT if reason == "signed_out" else PortalEvent.Kind.SESSION_REVOKED
        with transaction.atomic(using=using):
            ended = self.using(using).live().order_by().update(revoked_at=clock.now())
            if ended:
                try:
                    with transaction.atomic(using=using):
                        PortalEvent.record(kind, actor, using=using, reason=reason, count=ended, **ids)
                except DatabaseError:
                    logger.exception("%d sessions ended (%s), and the event could not be written", ended, reason)
        return ended

    def revoke_for(self, config: PortalConfig, external_id: str, actor: Actor = PortalEvent.SYSTEM) -> int:
        """End all live sessions that one end user has at one portal and return their number."""
        return self.filter(config=config, external_id=external_id).revoke(
            actor, reason="revoked", portal_id=config.public_id, external_id=external_id
        )

    def ended_before(self, before: datetime) -> Self:
        """Return the sessions whose time ran out before ``before`` (aware). An index serves this."""
        # The very expression of the index portal_session_ends.
        ends = Coalesce("expires_at", "code_expires_at", output_field=models.DateTimeField())
        return self.filter(LessThan(ends, before))

    def purge(self, before: datetime, batch_size: int) -> int:
        """Delete up to ``batch_size`` sessions whose time ran out before ``before`` and return their number.

        The condition stands in the DELETE itself, so a session that changed meanwhile is judged as it is now.
        """
        over = self.using(self._write_alias()).order_by().ended_before(before)
        batch = list(over.order_by(Coalesce("expires_at", "code_expires_at")).values_list("pk", flat=True)[:batch_size])
        return over.filter(pk__in=batch).delete()[0] if batch else 0

    def _write_alias(self) -> str:
        self._for_write = True
        return self.db


def _refusal(config: PortalConfig, minted_by: int | None, using: str) -> Exception:
    """Return the refusal that now holds, after a mint found that its portal or root key had changed."""
    current = PortalConfig._base_manager.using(using).filter(pk=config.pk).first()
    if current is None:
        return PortalConfigNotFound()
    if not current.enabled:
        return Forbidden()
    if minted_by is not None and not RootKey._base_manager.using(using).filter(pk=minted_by, enabled=True).exists():
        return KeyDisabled()
    return ServiceUnavailable("The portal was changed meanwhile. Send the same request again.", retry_after=1)
