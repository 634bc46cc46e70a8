"""The demo's settings in production form, with what ``BENCH_DEPLOYED`` changes in DATABASES, PORTAL and STATIC_ROOT."""

from __future__ import annotations

import json
import os

from config.settings import *  # noqa: F403 - settings build on settings so
from config.settings import DATABASES, PORTAL

from . import settings as bench

_changes = json.loads(os.environ["BENCH_DEPLOYED"])
DATABASES["default"] |= _changes["database"]
PORTAL |= {"THROTTLE_RATES": bench.PORTAL["THROTTLE_RATES"], **_changes["portal"]}
STATIC_ROOT = _changes["static"]
