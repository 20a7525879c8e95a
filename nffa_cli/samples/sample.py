"""What a sample is: its files as bytes and, beside them, the values that they were made with."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Made:
    """One signal as it was made: its pixels (C order, as RosettaSciIO gives them) and (step, SI unit) of each axis."""

    pixels: Any
    steps: tuple[tuple[float, str | None], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One acquisition of one kind.

    files
        File name to bytes; the main file is the first.
    terms
        Term to (value in its canonical unit, unit), as the file states them; local times have no offset.
    """

    kind: str
    format: str
    files: Mapping[str, bytes]
    terms: Mapping[str, tuple[Any, str | None]]
    signals: tuple[Made, ...] = ()

    @property
    def main(self) -> str:
        """Name of the main file."""
        return next(iter(self.files))


@dataclass(frozen=True, slots=True)
class Sitting:
    """Chance and clock of one sample: all that a maker draws comes from here."""

    chance: random.Random
    start: datetime
    number: int
    stage: Mapping[str, float] = field(default_factory=dict)

    def pick(self, *values: Any) -> Any:
        """Return one of the values."""
        return self.chance.choice(values)

    def between(self, low: float, high: float, digits: int) -> float:
        """Return a number between two, with so many decimals."""
        return round(self.chance.uniform(low, high), digits)


def sitting(kind: str, seed: int, place: int) -> Sitting:
    """Return the chance and the clock of the sample of a kind; ``place`` orders the kinds of one session in time."""
    chance = random.Random(f"nffa samples {kind} {seed}")
    day = datetime(2024, 5, 6, 9, 5) + timedelta(days=seed % 300)  # noqa: DTZ001 - the microscope PC's own clock
    start = day + timedelta(minutes=17 * place + chance.randrange(15), seconds=chance.randrange(60))
    return Sitting(chance, start, chance.randrange(1, 60))
