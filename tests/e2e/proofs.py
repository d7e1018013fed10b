"""How many examples a proof tries: a few in `make test`, ten times as many, or all there are, in `make proofs`.

A proof, marked so, compares random cases with the kernel or with an oracle that shares no code with ours. Every test
whose cases Hypothesis finds is marked so too (tests/conftest.py).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
TIMES = int(os.environ.get("PODWARD_PROOFS") or 1)
"""`make proofs` sets PODWARD_PROOFS."""


def examples(few: int, more: int = 0) -> int:
    """As many as this run is to try: `few` in `make test`, TIMES as many of them, or of `more`, in `make proofs`."""
    return few if TIMES == 1 else (more or few) * TIMES


def seed() -> tuple[str, ...]:
    """Words for prove.py: in `make test` its Pods are the same each time; `make proofs` and `make prove` try others."""
    return ("--seed", "1") if TIMES == 1 else ()


def part(cases: Sequence[T], of: int, turn: int = 0) -> Sequence[T]:
    """Every case in `make proofs`; in `make test` one of each `of`, other ones in each turn."""
    return cases[turn % of :: of] if TIMES == 1 else cases
