"""The runtime that is imitated: its table of defaults, and who decided what it was asked for.

Not a rule: what every rule here is given. The sources are those of the cri stage's Decision, found by the JSON names of
the message (`securityContext.runAsUser`), so that what follows in the runtime spec can name the same line.
"""

from __future__ import annotations

from podward.decision import Decision, Source
from podward.path import Key
from podward.policy.runtime.defaults.table import Defaults


class RuntimeProfile:
    """A runtime's defaults, with the sources of a ContainerConfig.

    `recursive_read_only`: whether the OCI runtime below says in its `features` that it can make mounts so.
    """

    def __init__(self, defaults: Defaults, origin: Decision, *, recursive_read_only: bool = True) -> None:
        self.defaults = defaults
        self.recursive_read_only = recursive_read_only
        self.name = defaults.name
        self.source = defaults.source
        self._by_place: dict[tuple[str | int | Key, ...], Source] = {
            assignment.path.segments: assignment.source for assignment in origin.assignments
        }

    def of(self, *place: str | int) -> Source:
        """Who decided the message's field at `place`, or the closest that contains it; the runtime if nobody did."""
        segments: tuple[str | int | Key, ...] = place
        for length in range(len(segments), 0, -1):
            found = self._by_place.get(segments[:length])
            if found is not None:
                return found
        return self.source
