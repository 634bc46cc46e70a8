"""Who sits at the admin; for people who may do less there is ``staff`` in rows.py."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client


@pytest.fixture
def operator(db: None) -> Client:
    """Return the browser of a superuser called ada."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client
