"""One operation after another, with ids from the answers: what the links of the document say. Long: ``make fuzz``."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tests.factories import PortalConfigFactory
from tests.fuzz.app import CHECKS, bounded, live
from tests.openapi import caller

#: What begins a chain, and what can only succeed with an id from an answer.
CHAINS = {
    "createSession": ["exchangeSession"],
    "createKey": ["rerollKey", "updateKey", "deleteKey"],
    "createPortal": ["getPortal", "updatePortal", "deletePortal"],
}


@pytest.mark.parametrize("first", CHAINS)
def test_chains(first: str) -> None:
    reached = set()
    linked = live(credentials=False).include(operation_id=[f"portal.{name}" for name in [first, *CHAINS[first]]])

    class Chain(linked.as_state_machine()):
        def setup(self) -> None:
            self.transaction = transaction.atomic()
            self.transaction.__enter__()
            self.config = PortalConfigFactory(slug="my-portal")

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

        def before_call(self, case: Any) -> None:
            # A session can be minted for a portal that is there, and without options about which a portal has a say.
            if first == "createSession" and isinstance(case.body, dict) and "slug" in case.body:
                case.body = {**case.body, "slug": "my-portal"}
                for option in ("returnUrl", "next", "locale", "ttl", "metadata"):
                    case.body.pop(option, None)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": caller(case.path.removeprefix("/v2/"), self.config)}

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            case.validate_response(response, checks=CHECKS, recorder=self.recorder, transport_kwargs=kwargs)
            if response.status_code == 200:
                reached.add(case.path.removeprefix("/v2/portal."))

    Chain.run(settings=bounded(examples=15))
    assert set(CHAINS[first]) - reached == set()
