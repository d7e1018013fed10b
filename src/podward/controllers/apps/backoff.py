"""How long to wait before something that failed is done again: twice as long each time.

Specification: Kubernetes, k8s.io/client-go, util/flowcontrol Backoff, as the daemon set controller uses it: from one
second to fifteen minutes; who did not fail for twice the longest wait begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST, _LONGEST = 1.0, 900.0
_MOST = 10_000


class Backoff:
    """The waits, by key."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: a clock that never goes back."""
        self._now = now
        self._waits: dict[str, tuple[float, float]] = {}

    def left(self, key: str) -> float:
        """The seconds that are left to wait; 0 where it may be done."""
        since, wait = self._waits.get(key, (0.0, 0.0))
        return max(0.0, since + wait - self._now())

    def failed(self, key: str) -> None:
        """It is done now, and the next time must wait longer."""
        now = self._now()
        since, wait = self._waits.get(key, (0.0, 0.0))
        fresh = not wait or now - since > 2 * _LONGEST
        if len(self._waits) >= _MOST:
            self._waits = {each: found for each, found in self._waits.items() if now - found[0] <= 2 * _LONGEST}
        self._waits[key] = (now, _FIRST if fresh else min(2 * wait, _LONGEST))
