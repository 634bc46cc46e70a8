"""The portal's tables, one concept a module, and the verbs on them."""

from .config import PortalConfig
from .event import Actor, PortalEvent
from .issued import Issued
from .root_key import RootKey
from .session import PortalSession

__all__ = ["Actor", "Issued", "PortalConfig", "PortalEvent", "PortalSession", "RootKey"]
