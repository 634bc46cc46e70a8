"""Fixtures of the pages' tests."""

from tests.pages.key_flow import each_store, inside, no_key_limit, signed_in
from tests.pages.states import look
from tests.pages.usage_flow import afternoon, usage_store

__all__ = ["afternoon", "each_store", "inside", "look", "no_key_limit", "signed_in", "usage_store"]
