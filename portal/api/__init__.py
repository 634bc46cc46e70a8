"""The HTTP API under ``v2/portal.``, and the authentication classes for a host's own DRF views."""
