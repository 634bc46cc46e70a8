"""Child processes that make calls at the same moment: real processes and threads, each thread with its own connection."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Self

import django

from tests.databases import CHILD_VARIABLE

PROCESSES = 4
THREADS = 16
CALLERS = PROCESSES * THREADS

#: Seconds after which a wait counts as a hang. More than SQLite's own patience with a lock.
PATIENCE = 90

#: Prepares a call, which may take requests of its own, and returns what the starting signal then sets off.
Call = Callable[[], Callable[[], Any]]

_STANDING, _ANSWERS, _FAILED = "standing", "answers", "failed"


class CrewFailure(AssertionError):
    """A child raised, hung or died; the text says what it said."""


class Crew:
    """Four processes of 16 threads on one database. Use it as a context manager: leaving it ends the processes.

    :param database: the settings of the database, as in DATABASES; JSON values only.
    """

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = json.dumps(database)
        self._children: list[tuple[SpawnProcess, Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for _, pipe in self._children:
            with suppress(BrokenPipeError):  # dead already
                pipe.send(None)
        self._end(PATIENCE)

    def race(self, calls: Iterable[Call]) -> list[Any]:
        """Deal ``calls`` to the processes, start all at once and return their answers in the order of the calls.

        :raises CrewFailure: a call raised, or a process did not answer in time. The next race has new processes.
        """
        if not self._children:
            self._start()
        try:
            return self._race(list(calls))
        except BaseException:
            # The others may be anywhere in this race, and what they say next would be taken for the next one's.
            self._end(0)
            raise

    def _race(self, calls: list[Call]) -> list[Any]:
        assert len(calls) <= CALLERS
        pipes = [pipe for _, pipe in self._children]
        for number, pipe in enumerate(pipes):
            pipe.send(calls[number::PROCESSES])
        for pipe in pipes:
            _hear(pipe, _STANDING)
        for pipe in pipes:
            pipe.send("go")
        answers: list[Any] = [None] * len(calls)
        for number, pipe in enumerate(pipes):
            answers[number::PROCESSES] = _hear(pipe, _ANSWERS)
        return answers

    def _start(self) -> None:
        # Spawned, not forked: a forked child would share its parent's connections.
        context = multiprocessing.get_context("spawn")
        for _ in range(PROCESSES):
            ours, theirs = context.Pipe()
            child = context.Process(target=_work, args=(theirs, self._database), daemon=True)
            child.start()
            theirs.close()
            self._children.append((child, ours))

    def _end(self, patience: float) -> None:
        """Give the children ``patience`` seconds to end by themselves."""
        for child, pipe in self._children:
            child.join(patience)
            if child.is_alive():
                child.kill()
                child.join(PATIENCE)
            pipe.close()
            child.close()
        self._children.clear()


def _hear(pipe: Connection, expected: str) -> Any:
    if not pipe.poll(PATIENCE):
        raise CrewFailure(f"A child did not say {expected!r} within {PATIENCE} seconds.")
    try:
        said, content = pipe.recv()
    except EOFError:
        raise CrewFailure("A child died.") from None
    if said != expected:
        raise CrewFailure(f"In a child:\n{content}")
    return content


def _work(pipe: Connection, database: str) -> None:
    """Run as a child: hear calls, make them, tell the answers, until None comes or the parent is gone."""
    os.environ[CHILD_VARIABLE] = database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connections
    from django.urls import get_resolver

    assert get_resolver().url_patterns  # imports the views now, not in the first race
    with ThreadPoolExecutor(THREADS) as threads:
        try:
            while (calls := pipe.recv()) is not None:
                try:
                    pipe.send((_ANSWERS, _race(threads, calls, pipe)))
                except Exception:
                    pipe.send((_FAILED, traceback.format_exc()))
        except EOFError:
            pass
        # A connection belongs to its thread, so each thread closes its own.
        _start_together(threads, [lambda: connections.close_all] * THREADS, lambda: None)


def _race(threads: ThreadPoolExecutor, calls: list[Call], pipe: Connection) -> list[Any]:
    def wait_for_signal() -> None:
        pipe.send((_STANDING, None))
        if not pipe.poll(PATIENCE):
            raise TimeoutError("The parent gave no signal.")
        pipe.recv()

    return _start_together(threads, calls, wait_for_signal)


def _start_together(threads: ThreadPoolExecutor, calls: list[Call], wait_for_signal: Callable[[], None]) -> list[Any]:
    """Prepare each call in a thread of its own and, when all stand ready and the signal came, start all."""
    line = threading.Barrier(len(calls) + 1, timeout=PATIENCE)

    def run(call: Call) -> Any:
        try:
            start = call()
        except Exception:
            line.abort()
            raise
        line.wait()
        line.wait()
        return start()

    running = [threads.submit(run, call) for call in calls]
    try:
        line.wait()
        wait_for_signal()
        line.wait()
    except threading.BrokenBarrierError:
        pass  # the call that broke it raises below
    except Exception:
        line.abort()
        raise
    # The error of a call before the barriers that it broke for others.
    errors = [error for future in running if (error := future.exception(PATIENCE))]
    for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
        raise error
    return [future.result() for future in running]
