"""The container runtime whose behaviour is computed: its defaults, and the sources of the CRI message's fields.

This is not a rule; every rule of this folder takes it. It indexes the cri stage's Decision by the JSON names of the
message (`securityContext.runAsUser`), so that a field of the runtime spec cites the same line as the field of the
message that it follows from.
"""

from __future__ import annotations

from podward.api.node import Node
from podward.decision import Decision, Source
from podward.path import Key
from podward.policy.runtime.defaults.table import Defaults

ROOT = Node(0)
"""A node on which Podward is the machine's root."""


class RuntimeProfile:
    """A runtime's name and defaults, with the sources of a ContainerConfig's fields.

    `recursive_read_only` is whether the OCI runtime's `features` include recursive read-only mounts. Of the `node` the
    rules ask in which user namespace it is.
    """

    def __init__(
        self, defaults: Defaults, origin: Decision, *, recursive_read_only: bool = True, node: Node = ROOT
    ) -> None:
        self.defaults = defaults
        self.recursive_read_only = recursive_read_only
        self.node = node
        self.name = defaults.name
        self.source = defaults.source
        self._by_place: dict[tuple[str | int | Key, ...], Source] = {
            assignment.path.segments: assignment.source for assignment in origin.assignments
        }

    def source_of(self, *place: str | int) -> Source:
        """The source of the message's field at `place`, or of the closest field that contains it.

        If no assignment set the field, the source is the runtime's table.
        """
        segments: tuple[str | int | Key, ...] = place
        for length in range(len(segments), 0, -1):
            found = self._by_place.get(segments[:length])
            if found is not None:
                return found
        return self.source
