"""The tables of API keys, one concept a module, and the verbs on them."""

from .api_key import ApiKey
from .owner import KeyOwner
from .secret import KeySecret

__all__ = ["ApiKey", "KeyOwner", "KeySecret"]
