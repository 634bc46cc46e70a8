"""The page about performance: what it shows is what a host that follows it gets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from portal.models import PortalConfig
from tests.docs.markdown import steps
from tests.factories import sign_in

PAGE = "performance.md"


@pytest.mark.django_db
def test_where_the_time_goes(client: Client, config: PortalConfig, settings: Any) -> None:
    middleware, shown = (step.text for step in steps(PAGE) if step.language in {"python", "text"})
    values = {"MIDDLEWARE": settings.MIDDLEWARE}
    exec(middleware, values)
    settings.MIDDLEWARE, settings.DEBUG = values["MIDDLEWARE"], True
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.get("/my-portal/session/")
    number = re.compile(r"\d+(\.\d)?")
    assert number.sub("n", f"Server-Timing: {answer['Server-Timing']}") == number.sub("n", shown.strip())
