"""readOnlyRootFilesystem: whether containers may write to their root file system.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go), in our words: an SCC that demands it
sets `readOnlyRootFilesystem: true` on containers that say nothing, and refuses false.
"""

from __future__ import annotations

from podward.decision import Decision
from podward.policy.scc.subject import Default, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "readOnlyRootFilesystem"


class RootFilesystemRule:
    """The rule of an SCC that demands read-only root file systems."""

    __slots__ = ("_given", "_source", "_voice")

    def __init__(self, scc: str) -> None:
        self._voice = SccErrors(scc, RULE)
        self._source = self._voice.source(RULE)
        self._given = Default((RULE,), True, "unset: the SCC demands it", self._source)

    def container(self, _: SccPod, member: SccContainer) -> Decision:
        """The container's root file system."""
        asked = member.context.read_only_root_filesystem
        if asked is None:
            return self._given.at(member.place)
        if asked:
            return NOTHING
        place = member.place.context / RULE
        text = "false: ReadOnlyRootFilesystem must be set to true"
        return refused(self._voice.invalid(f"{member.place.printed}.{RULE}", place, False, text, self._source))
