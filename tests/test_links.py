"""What is said where nobody knows the portal's address: an address that fits the project."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.links import portal_base


@pytest.mark.parametrize(
    ("debug", "urlconf", "example"),
    [
        (True, "tests.hosts.pages_only", "http://127.0.0.1:8000/customers"),
        (True, "tests.hosts.full", "http://127.0.0.1:8000"),
        (True, "tests.hosts.api_only", "https://example.com/portal"),
        (False, "tests.hosts.pages_only", "https://example.com/portal"),
    ],
)
def test_the_example_fits_the_project(settings, debug, urlconf, example):
    settings.PORTAL, settings.DEBUG, settings.ROOT_URLCONF = {}, debug, urlconf
    with pytest.raises(ImproperlyConfigured, match=f'for example "{example}"\\.'):
        portal_base("my-portal")
