"""The geometry of the charts: where bars, lines and labels stand. Templates draw them as SVG, and know the words.

All lengths are texts, because a template would write a number the way the reader's language does, and SVG knows one way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

__all__ = ["SPARK_HEIGHT", "Bar", "Scale", "Segment", "bars", "label_every", "scale", "spark"]

#: The chart's own units, which stretch to the width of the page (ui-spec 2.10).
WIDTH, HEIGHT = 600, 200
_STEPS = 5
_GAP, _LEAST = 1.0, 1.2
#: How much of its place a bar fills.
_FILLED = 0.7

#: The same for the small charts of the list: one unit a bar, and what is between two bars is the stroke's to leave.
SPARK_HEIGHT = 28


class Segment(NamedTuple):
    """A part of a bar: which series it belongs to, and where it stands."""

    series: str
    y: str
    height: str


class Bar(NamedTuple):
    """A stack of segments."""

    x: str
    width: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """The lines behind the bars.

    :param top: the number at the upper edge.
    :param steps: the numbers at the lines, the largest first.
    :param lines: where the lines are, in the same order.
    """

    top: int
    steps: tuple[int, ...]
    lines: tuple[str, ...]


def scale(most: int) -> Scale:
    """Return the scale for bars of up to ``most``: five equal steps of a round number."""
    step = next(number for number in _round_numbers() if number * _STEPS >= most)
    return Scale(
        step * _STEPS,
        tuple(step * number for number in range(_STEPS, -1, -1)),
        tuple(_text(HEIGHT * number / _STEPS) for number in range(_STEPS + 1)),
    )


def _round_numbers() -> Iterator[int]:
    # Whole ones: nobody makes two and a half requests. So many that the tallest bar is most of the chart.
    yield from (1, 2, 3, 4, 5, 6, 8)
    for power in count(1):  # pragma: no branch - it has no end
        for tenths in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80):
            yield tenths * 10**power // 10


def bars(stacks: Sequence[Mapping[str, int]], top: int) -> tuple[Bar, ...]:
    """Return a bar for each stack; nothing stands for zero, and the smallest number can still be seen.

    :param stacks: counts by series, from the bottom up.
    :param top: the count at the upper edge.
    """
    place = WIDTH / max(1, len(stacks))
    return tuple(
        Bar(_text((index + (1 - _FILLED) / 2) * place), _text(_FILLED * place), _segments(stack, top))
        for index, stack in enumerate(stacks)
    )


def _segments(stack: Mapping[str, int], top: int) -> tuple[Segment, ...]:
    found: list[Segment] = []
    base = float(HEIGHT)
    for series, number in stack.items():
        if number:
            height = max(_LEAST, HEIGHT * number / top - (_GAP if found else 0))
            base -= height + (_GAP if found else 0)
            found.append(Segment(series, _text(base), _text(height)))
    return tuple(found)


def label_every(number: int) -> int:
    """Return which bars have a label below, the first and each so many after: 6 at most, or 7 where all are."""
    return 1 if number <= 7 else -(-number // 6)


def spark(bars: Mapping[int, tuple[int, int]]) -> tuple[str, str]:
    """Return two paths, of valid and of rejected requests on top, as strokes a unit apart; the tallest bar fills the height.

    Whole units only: a row of the list has to stay below 700 bytes (ui-spec 2.10).

    :param bars: how many were valid and how many rejected, by the place of the bar; places without a request are left out.
    """
    most = max(map(sum, bars.values()))
    paths: tuple[list[str], list[str]] = ([], [])
    for x, parts in bars.items():
        y = SPARK_HEIGHT
        for path, number in zip(paths, parts, strict=True):
            if number:
                end = max(0, y - max(1, round(SPARK_HEIGHT * number / most)))
                path.append(f"M{x} {y}V{end}")
                y = end
    return "".join(paths[0]), "".join(paths[1])


def _text(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")
