"""Keys for tests, made through the models' own verbs."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.db import transaction

from portal.contrib.keys.models import ApiKey

_names = count(1)


def make_key(prefix: str = "sk", **fields: Any) -> tuple[ApiKey, str]:
    """Return a key and its secret."""
    defaults = {"keyspace_id": "ks_1", "external_id": "user_123", "name": f"Key {next(_names)}"}
    with transaction.atomic():
        return ApiKey.objects.issue(prefix, **{**defaults, **fields})


def rotate(key: ApiKey, grace: timedelta = timedelta(0)) -> str:
    """Give ``key`` a new secret and return it."""
    done = ApiKey.objects.rotate(key.public_id, "sk", grace)
    assert done is not None
    return done[1]


def change(key: ApiKey, **fields: Any) -> None:
    """Write columns of ``key`` as they are, past all verbs."""
    assert ApiKey.objects.filter(pk=key.pk).update(**fields) == 1
