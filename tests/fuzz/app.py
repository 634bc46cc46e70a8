"""The live app and the document of it, for schemathesis."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.openapi import closed, document


def live(*, credentials: bool) -> Any:
    """Return what schemathesis makes of the document, with the app behind it.

    :param credentials: whether it makes up credentials too, and leaves them out.
    """
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": credentials}})
    # In the tests the API is at the root.
    schema = schemathesis.openapi.from_dict(closed({**document(), "servers": [{"url": "/"}]}), config=config)
    schema.app = get_wsgi_application()
    return schema


#: Every answer is one that the document describes.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: And what it forbids is refused.
REFUSED = [*CHECKS, negative_data_rejection]


def bounded(examples: int) -> settings:
    """Return the settings of a run that is the same every time: so many examples, or FUZZ_TIMES as many."""
    return settings(
        max_examples=examples * int(os.environ.get("FUZZ_TIMES", "1")),
        stateful_step_count=8,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
