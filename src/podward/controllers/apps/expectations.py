"""What a controller has asked for and its watch has not shown yet: until then it must not ask again.

Specification: Kubernetes, ControllerExpectations of pkg/controller/controller_utils.go. Creations are counted, since
their names are made up; deletions are known by uid, so that none counts twice. What does not come within five minutes
is waited for no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PATIENCE = 300.0


class Expectations:
    """What is awaited, by the key of an owner."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: a clock that never goes back."""
        self._now = now
        self._awaited: dict[str, _Awaited] = {}

    def expect(self, key: str, creations: int, deletions: Iterable[str]) -> None:
        """So many objects will be created, and those of these uids deleted."""
        self._awaited[key] = _Awaited(creations, set(deletions), self._now())

    def created(self, key: str, count: int = 1) -> None:
        """One was created; or so many will not be after all."""
        if key in self._awaited:
            self._awaited[key].creations -= count

    def deleted(self, key: str, uid: str) -> None:
        """The one of this uid is being deleted; or will not be after all."""
        if key in self._awaited:
            self._awaited[key].deletions.discard(uid)

    def fulfilled(self, key: str) -> bool:
        """Whether the owner may act again."""
        found = self._awaited.get(key)
        return found is None or found.is_over(self._now())

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._awaited.pop(key, None)


class _Awaited:
    __slots__ = ("creations", "deletions", "since")

    def __init__(self, creations: int, deletions: set[str], since: float) -> None:
        self.creations = creations
        self.deletions = deletions
        self.since = since

    def is_over(self, now: float) -> bool:
        return (self.creations <= 0 and not self.deletions) or now - self.since > _PATIENCE
