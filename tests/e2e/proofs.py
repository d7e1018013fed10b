"""How many random examples a proof tries: a few in `make test`, ten times as many in `make proofs`.

A proof, marked so, compares random cases with the kernel or with an oracle that shares no code with ours.
"""

from __future__ import annotations

import os

TIMES = int(os.environ.get("PODWARD_PROOFS") or 1)
"""`make proofs` sets PODWARD_PROOFS."""


def examples(few: int) -> int:
    """As many as this run is to try, where `make test` tries `few`."""
    return few * TIMES
