"""Fixtures of the pages' tests."""

from tests.pages.states import look

__all__ = ["look"]
