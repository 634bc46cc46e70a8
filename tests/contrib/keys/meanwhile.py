"""What others do at the same time: a thread that holds rows, and a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from tests.databases import CHILD_VARIABLE


@contextmanager
def held(act: Callable[[], object]) -> Iterator[None]:
    """Do ``act`` in another thread, whose transaction stays open for the block and is committed at its end."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                act()
                holds.set()
                done.wait(60)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holds.wait(30)
        yield
    finally:
        done.set()
        holder.join()


def in_a_process(script: str, secret: str) -> None:
    """Run ``script``, which reads ``secret`` from its standard input, in a process of its own on the test's database."""
    settings = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")}
    environment = {
        **os.environ,
        CHILD_VARIABLE: json.dumps(settings, default=str),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    subprocess.run([sys.executable, "-c", script], input=secret, text=True, env=environment, check=True, timeout=60)
