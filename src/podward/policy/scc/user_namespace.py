"""hostUsers: whether a Pod must have a user namespace of its own.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go), in our words: under the level
RequirePodLevel `spec.hostUsers` must be written and false. Other levels ask for nothing, and nothing is ever set.
"""

from __future__ import annotations

from podward.decision import Decision
from podward.path import path
from podward.policy.scc.subject import SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "hostUsers"
REQUIRED = "RequirePodLevel"
"""The level that asks for a user namespace."""

_PLACE = path("spec", RULE)


class UserNamespaceRule:
    """The rule of an SCC whose level is RequirePodLevel."""

    __slots__ = ("_source", "_voice")

    def __init__(self, scc: str) -> None:
        self._voice = SccErrors(scc, RULE)
        self._source = self._voice.source("userNamespaceLevel")

    def pod(self, subject: SccPod) -> Decision:
        """The Pod's hostUsers."""
        asked = subject.spec.host_users
        if asked is False:
            return NOTHING
        text = f"{'null' if asked is None else 'true'}: Host Users must be set to false"
        return refused(self._voice.invalid(f".spec.{RULE}", _PLACE, asked, text, self._source))
