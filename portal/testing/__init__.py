"""For the tests of a host: a browser that goes into a portal the way that a user does.

With pytest, in ``conftest.py``::

    pytest_plugins = ["portal.testing.pytest_plugin"]

and in a test::

    def test_the_invoices_of_a_user(portal_client):
        portal_client.enter("my-portal", "user_123", ["keys:read"])
        assert portal_client.get("/invoices/").status_code == 200

With unittest, ``client_class = PortalClient`` in a ``django.test.TestCase``.
"""

from .client import PortalClient
from .failures import PortalClientError

__all__ = ["PortalClient", "PortalClientError"]
