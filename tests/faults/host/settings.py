"""The demo's production settings, with a clock and a disk that a test can disturb."""

from __future__ import annotations

import json
import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, MIDDLEWARE, PORTAL

PORTAL = {**PORTAL, **json.loads(os.environ.get("FAULT_PORTAL", "{}"))}
DATABASES["default"] |= json.loads(os.environ.get("FAULT_DATABASE", "{}"))
MIDDLEWARE = ["host.disturbances.wrong_clock", *MIDDLEWARE]
