"""How many random examples a proof tries: a few in `make test`, ten times as many in `make proofs`.

A proof, marked so, compares random cases with the kernel or with an oracle that shares no code with ours.
"""

from __future__ import annotations

import os

TIMES = int(os.environ.get("PODWARD_PROOFS") or 1)
"""`make proofs` sets PODWARD_PROOFS."""


def examples(few: int, more: int = 0) -> int:
    """As many as this run is to try: `few` in `make test`, TIMES as many of them, or of `more`, in `make proofs`."""
    return few if TIMES == 1 else (more or few) * TIMES
