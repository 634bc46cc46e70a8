"""Fixtures for the tests of API keys."""

from __future__ import annotations

from tests.admin.conftest import operator

__all__ = ["operator"]
