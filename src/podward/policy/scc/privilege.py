"""privileged: whether containers may have all the node's privileges.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go), in our words: a privileged container
is refused unless the SCC allows it.
"""

from __future__ import annotations

from podward.decision import Decision
from podward.policy.scc.subject import SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "privileged"


class PrivilegedRule:
    """The rule of an SCC that does not allow privileged containers."""

    __slots__ = ("_source", "_voice")

    def __init__(self, scc: str) -> None:
        self._voice = SccErrors(scc, RULE)
        self._source = self._voice.source("allowPrivilegedContainer")

    def container(self, _: SccPod, member: SccContainer) -> Decision:
        """Whether the container is privileged."""
        if member.context.privileged is not True:
            return NOTHING
        place = member.place.context / RULE
        text = "true: Privileged containers are not allowed"
        return refused(self._voice.invalid(f"{member.place.printed}.{RULE}", place, True, text, self._source))
