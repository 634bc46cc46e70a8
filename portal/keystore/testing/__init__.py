"""The tests that every key store must pass, whoever wrote it; needs pytest.

Subclass :class:`KeyStoreConformance` in a test module of your own and say how a store is made::

    @pytest.mark.django_db  # if it has tables
    class TestMyKeyStore(KeyStoreConformance):
        def make_store(self) -> KeyStore:
            return MyKeyStore()

        def accepts(self, store: KeyStore, secret: str) -> bool:
            return my_api_takes(secret)

The hooks are described in :mod:`portal.keystore.testing.hooks`. What the store does not support must be refused, and the
tests of it are skipped; so are those that need a hook which is not overridden, and they name it.
"""

from __future__ import annotations

import pytest

# Before they are imported, so that a failed assertion shows its values, as in a test module.
pytest.register_assert_rewrite(
    *(f"{__name__}.{topic}" for topic in ("creating", "listing", "locking", "owners", "paging", "revoking")),
    *(f"{__name__}.{topic}" for topic in ("rotating", "summing", "unsupported", "updating", "usage", "walking")),
)

from .creating import CreatingTests  # noqa: E402
from .hooks import Hooks  # noqa: E402
from .listing import ListingTests  # noqa: E402
from .locking import LockingTests  # noqa: E402
from .owners import OwnerTests  # noqa: E402
from .paging import PagingTests  # noqa: E402
from .revoking import RevokingTests  # noqa: E402
from .rotating import RotatingTests  # noqa: E402
from .summing import SummingTests  # noqa: E402
from .unsupported import UnsupportedTests  # noqa: E402
from .updating import UpdatingTests  # noqa: E402
from .usage import UsageTests  # noqa: E402

__all__ = ["Hooks", "KeyStoreConformance"]


class KeyStoreConformance(
    OwnerTests,
    CreatingTests,
    ListingTests,
    PagingTests,
    UpdatingTests,
    RotatingTests,
    LockingTests,
    RevokingTests,
    UsageTests,
    SummingTests,
    UnsupportedTests,
):
    """All of them; the subclass overrides :meth:`Hooks.make_store` and what else applies."""
