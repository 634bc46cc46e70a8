"""How often a race is run, and on which hosts."""

from __future__ import annotations

import pytest

#: A host's ATOMIC_REQUESTS must change nothing: our views are outside it (design section 2).
on_both_hosts = pytest.mark.parametrize(
    "crew", [{}, {"ATOMIC_REQUESTS": True}], indirect=True, ids=["autocommit", "atomic-requests"]
)


def rounds(short: int) -> pytest.MarkDecorator:
    """Run a test with ``rounds`` = ``short`` in the normal suite, and with 100 in ``make races``."""
    return pytest.mark.parametrize("rounds", [short, pytest.param(100, marks=pytest.mark.long)])
