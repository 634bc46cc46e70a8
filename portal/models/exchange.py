"""Spending an exchange code: once, by one caller, and given again only to the browser whose answer got lost."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.errors import PortalSessionNotFound

from .config import PortalConfig
from .event import Actor, PortalEvent
from .issued import Issued
from .lock import lock
from .redeem import Redeemed, redeem

if TYPE_CHECKING:
    from .session import PortalSession

__all__ = ["ENDS", "LOST_ANSWER_WINDOW", "ExchangeQuerySet"]

#: When time ends a session: its code until that is exchanged, its token from then on. The very expression of the index
#: portal_session_ends, which leads past all that ended long ago.
ENDS = Coalesce("expires_at", "code_expires_at", output_field=models.DateTimeField())

#: How long after an exchange the same browser may ask for the same answer again (design decision 6).
LOST_ANSWER_WINDOW = timedelta(seconds=60)


class ExchangeQuerySet(models.QuerySet["PortalSession"]):
    """The verbs that take an exchange code."""

    def live(self) -> Self:
        """Return the sessions that can still be used: codes not yet exchanged, and tokens not yet ended."""
        return self.filter(GreaterThan(ENDS, clock.now()), revoked_at=None)

    def for_code(self, code: str, config: PortalConfig) -> PortalSession | None:
        """Return the session of an exchange code at a portal, in whatever state, or None.

        Read where writes go: a replica may not know yet of a link that was minted a moment ago.
        """
        return self.using(self._write_alias()).filter(code_hash=tokens.digest(code), config=config).first()

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
        using = self._write_alias()
        # One transaction: as soon as the row is let go of, a portal that is being deleted takes it along.
        with transaction.atomic(using=using):
            redeemed, token = self.redeem(code, address=address, slug=slug, token=token, replaces=replaces)
            row = self.using(using).select_related("config").get(pk=redeemed.pk)
        return Issued(row, token)

    @sensitive_variables("code", "token", "replaces")
    def redeem(
        self,
        code: str,
        *,
        address: str | None = None,
        slug: str | None = None,
        token: str | None = None,
        replaces: str | None = None,
    ) -> Issued[Redeemed]:
        """Do what :meth:`exchange` does, for a caller who needs no row."""
        now = clock.now()
        token = token or tokens.mint(tokens.ACCESS_TOKEN)
        using = self._write_alias()
        event: dict[str, Any] = {
            "kind": PortalEvent.Kind.SESSION_EXCHANGED.value,
            "actor_kind": PortalEvent.ActorKind.END_USER.value,
            "address": address,
            "detail": {},
            "created_at": now,
        }
        with transaction.atomic(using=using) if replaces else nullcontext():
            if replaces:
                both = models.Q(code_hash=tokens.digest(code)) | models.Q(token_hash=tokens.digest(replaces))
                lock(self.using(using).filter(both))
            hashes = tokens.digest(code), tokens.digest(token)
            redeemed = redeem(self.model, *hashes, now, slug=slug, event=event, using=using)
            if redeemed and replaces:
                actor = Actor(PortalEvent.ActorKind.END_USER, redeemed.external_id, address)
                previous = self.using(using).filter(token_hash=tokens.digest(replaces)).exclude(pk=redeemed.pk)
                for session in previous:
                    session.revoke(actor, reason="replaced")
        if redeemed is None:
            raise PortalSessionNotFound
        return Issued(redeemed, token)

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
                PortalEvent.record(PortalEvent.Kind.SESSION_REPLAYED, nobody, using=used.db, **session.event_values())

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

    def _write_alias(self) -> str:
        self._for_write = True
        return self.db
