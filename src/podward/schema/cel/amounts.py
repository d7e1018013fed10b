"""Amounts from least to most: of costs, and of the sizes that they come from. They never exceed 64 bits.

Specification: cel-go checker/cost.go SizeEstimate and CostEstimate.
"""

from __future__ import annotations

import math

from msgspec import Struct

MOST = (1 << 64) - 1


class Amount(Struct, frozen=True):
    """At least `least`, at most `most`."""

    least: int = 0
    most: int = 0

    def __add__(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(min(self.least + other.least, MOST), min(self.most + other.most, MOST))

    def __mul__(self, other: Amount) -> Amount:
        """The one as often as the other says."""
        return Amount(min(self.least * other.least, MOST), min(self.most * other.most, MOST))

    def __or__(self, other: Amount) -> Amount:
        """Either of them."""
        return Amount(min(self.least, other.least), max(self.most, other.most))

    def times(self, factor: float) -> Amount:
        """As often as a factor says, rounded up."""
        return Amount(_times(self.least, factor), _times(self.most, factor))


def _times(amount: int, factor: float) -> int:
    found = float(amount) * factor
    return MOST if found >= float(MOST) else min(math.ceil(found), MOST)


def fixed(amount: int) -> Amount:
    """Exactly this."""
    return Amount(amount, amount)


UNKNOWN = Amount(0, MOST)
ONE = fixed(1)
