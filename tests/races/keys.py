"""An end user with API keys, and what the children of a race do to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.store import DatabaseKeyStore
from portal.contrib.keys.verify import verify
from portal.keystore.base import IssuedKey, NewKey, Owner
from portal.models import PortalConfig
from portal.tokens import nonce
from tests.factories import PortalConfigFactory, sign_in
from tests.races.calls import Answer, post

HOUR = 3_600_000

_numbers = count()


@dataclass(frozen=True, slots=True)
class User:
    """One end user of one portal, fresh for each round, and the access token of their session."""

    slug: str
    token: str
    external_id: str = "user_123"

    @property
    def owner(self) -> Owner:
        return Owner(PortalConfig.objects.get(slug=self.slug), self.external_id)

    @property
    def keys(self) -> Any:
        """The rows of the keys that were not revoked."""
        owner = self.owner
        return ApiKey.objects.owned_by(owner.keyspace_id, owner.external_id)


def new_user(**policy: Any) -> User:
    slug = f"keys-{next(_numbers)}"
    config = PortalConfigFactory(slug=slug, keyspace_id="", **{"key_limit": None, **policy})
    return User(slug, sign_in(config).secret)


def give(user: User, name: str = "Server") -> IssuedKey:
    """Give the user a key, in process."""
    return DatabaseKeyStore().create_key(user.owner, NewKey(name, None), request_id=nonce())


def assert_secrets_are_right(user: User) -> None:
    """Assert what holds of every key: one present secret, and one old one at most that still works."""
    for key in user.keys:
        secrets = KeySecret.objects.filter(key=key)
        assert secrets.filter(ends_at=None).count() == 1
        assert secrets.working(clock.now()).count() <= 2


def accepted(secrets: list[str]) -> list[str]:
    """Return those of ``secrets`` that open the host's API."""
    return [secret for secret in secrets if verify(secret).valid]


def create(user: User, name: str, request_id: str = "") -> Callable[[], Answer]:
    """Prepare one creation."""
    return partial(post, "createKey", {"name": name}, bearer=user.token, request_id=request_id)


def reroll(user: User, key_id: str, grace: int = HOUR, request_id: str = "") -> Callable[[], Answer]:
    """Prepare one rotation; ``grace`` in milliseconds."""
    body = {"keyId": key_id, "expiration": grace}
    return partial(post, "rerollKey", body, bearer=user.token, request_id=request_id)


def update(user: User, key_id: str, **changes: Any) -> Callable[[], Answer]:
    """Prepare one change."""
    return partial(post, "updateKey", {"keyId": key_id, **changes}, bearer=user.token)


def revoke(user: User, key_id: str) -> Callable[[], Answer]:
    """Prepare one revocation."""
    return partial(post, "deleteKey", {"keyId": key_id}, bearer=user.token)


def lock(key_id: str) -> Callable[[], Answer]:
    """Prepare an operator's lock."""
    return partial(_lock, key_id)


def _lock(key_id: str) -> Answer:
    return Answer(200 if ApiKey.objects.lock(key_id) else 404)
