"""Whatever the document allows or forbids, the answer is one that it describes. The long form is ``make fuzz``."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from schemathesis import GenerationMode

from portal.keystore import get_key_store
from portal.keystore.base import NewKey, Owner
from tests.factories import mint
from tests.fuzz.app import CHECKS, REFUSED, bounded, live
from tests.openapi import caller, operations

LIVE, WITH_CREDENTIALS = live(credentials=False), live(credentials=True)


@pytest.fixture
def known(config: Any) -> dict[str, str]:
    """Return what a caller can know, by the members that hold it: what is made up is only ever not found."""
    code = mint(config).secret
    names = {"slug": config.slug, "portal": config.slug, "sessionId": code, "code": code}
    key, secret = get_key_store().create_key(Owner(config, "user_123"), NewKey("Laptop", None), request_id="once")
    return {**names, "keyId": key.id, "key": secret, "keyspaceId": config.keyspace_id}


def call(
    requests: Any, checks: list[Any], headers: dict[str, str] | None = None, known: dict[str, str] | None = None
) -> None:
    """Send many of ``requests``, each with the database as it is now."""

    @bounded(examples=12)
    @given(requests)
    def run(case: Any) -> None:
        if known and isinstance(case.body, dict):
            case.body |= {member: known[member] for member in case.body.keys() & known.keys()}
        with transaction.atomic():
            case.call_and_validate(checks=checks, headers=headers)
            transaction.set_rollback(True)

    run()


@pytest.mark.parametrize("operation", operations())
def test_what_is_allowed(config: Any, known: dict[str, str], operation: str) -> None:
    requests = LIVE[f"/v2/{operation}"]["POST"].as_strategy()
    call(requests, CHECKS, caller(operation, config), known)


@pytest.mark.parametrize("operation", operations())
def test_what_is_not(config: Any, operation: str) -> None:
    requests = LIVE[f"/v2/{operation}"]["POST"].as_strategy(GenerationMode.NEGATIVE)
    call(requests, REFUSED, caller(operation, config))


@pytest.mark.parametrize("operation", [name for name, item in operations().items() if item["security"]])
def test_by_a_stranger(config: Any, operation: str) -> None:
    call(WITH_CREDENTIALS[f"/v2/{operation}"]["POST"].as_strategy(), CHECKS)
