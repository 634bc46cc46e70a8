"""Fixtures of the pages' tests."""

from tests.pages.key_flow import each_store, signed_in
from tests.pages.states import look

__all__ = ["each_store", "look", "signed_in"]
