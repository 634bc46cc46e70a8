"""The portal's tables, one concept a module, and the verbs on them."""

from .config import PortalConfig
from .event import Actor, PortalEvent
from .issued import Issued
from .logo import PortalLogo
from .root_key import RootKey
from .session import PortalSession

__all__ = ["Actor", "Issued", "PortalConfig", "PortalEvent", "PortalLogo", "PortalSession", "RootKey"]
