"""Key stores for tests, by the names that KEY_STORE takes."""

from __future__ import annotations

from typing import Any, NoReturn

from portal.errors import KeyChangedMeanwhile
from portal.keystore.memory import MemoryKeyStore

MEMORY = {"BACKEND": "portal.keystore.memory.MemoryKeyStore"}


class BrokenKeyStore(MemoryKeyStore):
    """Every call of it fails."""

    def _fail(self, *args: Any, **options: Any) -> NoReturn:
        raise RuntimeError("broken")

    list_keys = get_key = create_key = update_key = reroll_key = revoke_key = usage = _fail


class SilentKeyStore(MemoryKeyStore):
    """It cannot be reached."""

    def _fail(self, *args: Any, **options: Any) -> NoReturn:
        raise ConnectionError("no route")

    list_keys = get_key = create_key = update_key = reroll_key = revoke_key = usage = _fail


class BusyKeyStore(MemoryKeyStore):
    """Somebody else is always faster."""

    def update_key(self, *args: Any, **options: Any) -> NoReturn:
        raise KeyChangedMeanwhile
