"""A project of one row, for gunicorn: ``BENCH_ROW`` names the row."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

django.setup()

from .rows import BARE, ROWS  # noqa: E402 - models are there only now

_row = next(row for row in (BARE, *ROWS) if row.name == os.environ["BENCH_ROW"])
for _name, _value in _row.project.items():
    setattr(settings, _name, _value)

application = WSGIHandler()
