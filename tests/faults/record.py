"""What happened at a host: every answer, every exchange and every secret. A fault is judged by this."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict

from tests.faults.answers import LOST, Answer
from tests.faults.history import Exchange, Outcome, violations

#: What an answer without a token says about the code. Others, such as a 403 for the form, say nothing about it.
OUTCOMES: dict[int, Outcome] = {401: "refused", 429: "refused", LOST: "unknown", 503: "unknown"}


class Record:
    """Filled by clients, from many threads; judged once, when the host has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self.exchanges: list[Exchange] = []
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)

    def note(self, call: str, answer: Answer) -> None:
        with self._lock:
            self.answers[call].append(answer)
            self._secrets.add(answer.secret)

    def note_exchange(self, code: str, caller: str, start: float, end: float, answer: Answer) -> None:
        outcome: Outcome | None = "ok" if answer.secret else OUTCOMES.get(answer.status)
        with self._lock:
            self._secrets.add(code)
            if outcome:
                self.exchanges.append(Exchange(code, caller, start, end, outcome, answer.secret))

    def keep_secret(self, *secrets: str) -> None:
        with self._lock:
            self._secrets |= set(secrets)

    def statuses(self, call: str) -> Counter[int]:
        """Return how often each status answered ``call``."""
        return Counter(answer.status for answer in self.answers[call])

    def histogram(self) -> str:
        """Return, in one line, what each call answered; 0 is an answer that got lost."""
        lines = []
        for call, answers in sorted(self.answers.items()):
            counted = ", ".join(f"{status} × {number}" for status, number in sorted(self.statuses(call).items()))
            lines.append(f"{call}: {counted} (slowest {max(answer.seconds for answer in answers):.2f} s)")
        return "; ".join(lines)

    def judge(self, log: str) -> None:
        """Assert what must hold after every fault (S): each code taken once at most, and no secret in the log."""
        assert violations(self.exchanges) == []
        # Without the prefix, and not to the end: most of a secret is still most of a secret.
        written = [secret[:8] for secret in self._secrets if secret and secret.partition("_")[2][:16] in log]
        assert written == [], f"The log holds secrets: {written}"
