"""The tables of API keys, one concept a module, and the verbs on them."""

from .api_key import ApiKey
from .imports import ImportedKey, ImportOutcome
from .keyspace import portals_of
from .owner import KeyOwner
from .secret import KeySecret
from .usage import KeyUsage

__all__ = ["ApiKey", "ImportOutcome", "ImportedKey", "KeyOwner", "KeySecret", "KeyUsage", "portals_of"]
