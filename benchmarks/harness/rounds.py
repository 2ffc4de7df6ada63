"""Rounds: every side in every round, so that what else the machine does meets all of them."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.local.console import Console

Measured = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared; `measure` is one round of it, by metric."""

    name: str
    measure: Callable[[], Measured]


@dataclass(frozen=True, slots=True)
class Spread:
    """What the rounds of one side gave for one metric."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)


@dataclass(slots=True)
class Rounds:
    """The measurements of a scenario: a Spread for each side and metric."""

    _values: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, side: str, measured: Measured) -> None:
        """One round of one side."""
        for metric, value in measured.items():
            self._values[side, metric].append(value)

    def of(self, side: str, metric: str) -> Spread:
        """Raises KeyError where that was not measured."""
        if (side, metric) not in self._values:
            raise KeyError(f"{side} has no {metric}")
        return Spread(tuple(self._values[side, metric]))

    def all(self) -> dict[tuple[str, str], Spread]:
        """Every side and metric, in the order of their measuring."""
        return {key: Spread(tuple(values)) for key, values in self._values.items()}

    def ratios(self, over: tuple[str, str], under: tuple[str, str]) -> Spread:
        """One metric over the other, round by round."""
        pairs = zip(self.of(*over).values, self.of(*under).values, strict=True)
        return Spread(tuple(above / below for above, below in pairs))


def interleave(sides: Sequence[Side], count: int, console: Console) -> Rounds:
    """`count` rounds; each begins with another side, since the first may find a warmer machine."""
    rounds = Rounds()
    for number in range(count):
        first = number % len(sides)
        for side in (*sides[first:], *sides[:first]):
            with console.step(f"round {number + 1}/{count}: {side.name}"):
                measured = side.measure()
            rounds.add(side.name, measured)
            said = ", ".join(f"{value:,.6g} {metric}" for metric, value in measured.items())
            console.line(f"      {said}")
    return rounds
