"""What a session may learn of the use of its keys (row 24)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal import clock
from portal.authenticate import authenticate_session
from portal.errors import ApiKeyNotFound, InsufficientPermissions
from portal.keystore.actions import SessionKeys
from portal.keystore.usage import DAY, HOUR, Window
from portal.models import PortalConfig
from tests.factories import ALL, sign_in
from tests.pages.shelf import put
from tests.usage_store import use, use_usage_store

pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[SessionKeys, str], Any]] = {
    "usage": lambda keys, key_id: keys.usage(Window.last(1, DAY)),
    "usage_of": lambda keys, key_id: keys.usage_of(key_id, Window.last(1, DAY)),
}


def keys_of(config: PortalConfig, granted: Any) -> SessionKeys:
    return SessionKeys(authenticate_session(sign_in(config, granted=granted).secret), config)


@pytest.mark.parametrize("act", ACTS)
def test_row_24_each_needs_analytics_read_and_nothing_else(config: PortalConfig, settings: Any, act: str) -> None:
    use_usage_store(settings)
    key = put(config, "K")
    use(config, key.id, clock.now())
    with pytest.raises(InsufficientPermissions):
        ACTS[act](keys_of(config, [one for one in ALL if one != "analytics:read"]), key.id)
    assert ACTS[act](keys_of(config, ["analytics:read"]), key.id).total.valid == 1


def test_row_24_a_key_of_nobody_and_of_somebody_else(config: PortalConfig, settings: Any) -> None:
    use_usage_store(settings)
    theirs = put(config, "Theirs", external_id="user_456")
    use(config, theirs.id, clock.now(), external_id="user_456")
    for key_id in (theirs.id, "key_0"):
        with pytest.raises(ApiKeyNotFound):
            keys_of(config, ALL).usage_of(key_id, Window.last(1, DAY))


def test_the_last_bucket_holds_this_moment() -> None:
    """Also the first moment of an hour, and the last."""
    begins = clock.now().replace(minute=0, second=0, microsecond=0)
    for moment in (begins, begins + HOUR - timedelta(milliseconds=1)):
        with clock.using(lambda moment=moment: moment):  # type: ignore[misc]
            window = Window.last(24, HOUR)
            assert (window.end, window.size) == (begins + HOUR, 24)
            assert window.starts[-1] == begins
