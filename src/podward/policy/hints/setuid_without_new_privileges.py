"""A setuid or setgid program that no_new_privs turns into an ordinary one.

Specification (execve(2), prctl(2) PR_SET_NO_NEW_PRIVS, kubelet), in our words: `allowPrivilegeEscalation: false`
sets no_new_privs, and then execve(2) ignores the setuid and setgid bits: ping, su, sudo and their like run with the ids
of whoever started them and fail with EPERM. The hint stands where the container's own entry is such a file, owned by
another user or (with the group's execute bit) another group than the process has, and those ids exist in its user
namespace; for a script it is the last interpreter that counts. What the entry itself starts later is not known here. On
a mount with nosuid the bits never count, and nothing is said.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.api.image import EntryFile
from podward.api.process import ProcessState
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.identity import NOBODY, inside
from podward.policy.hints.manifest import decided, of_container

NAME = "setuid-without-new-privileges"
RULE = Source(Origin.RULE, "execve(2)")
SET_UID, SET_GID, GROUP_EXECUTE = 0o4000, 0o2000, 0o010
_EFFECTIVE = 1


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint."""
    if facts.predicted is None or facts.entry is None or not facts.predicted.value.no_new_privs:
        return ()
    file = _last(facts.entry)
    lost = _lost(file, facts.predicted.value)
    if not lost:
        return ()
    field = of_container(facts, "securityContext", "allowPrivilegeEscalation")
    return (
        Hint(
            NAME,
            facts.container.name,
            field,
            f"{file.path} (mode {file.mode & 0o7777:04o}) is meant to run {lost}; under "
            "allowPrivilegeEscalation: false it will not.",
            "Set allowPrivilegeEscalation: true, or give the process what the program needs and take the bit away.",
            (Change(field, True),),
            decided(facts.effective.decision, path("noNewPrivs"), RULE),
        ),
    )


def _last(entry: EntryFile) -> EntryFile:
    while entry.interpreter is not None:
        entry = entry.interpreter
    return entry


def _lost(file: EntryFile, state: ProcessState) -> str:
    """What the bits would have given, in words; empty if nothing is lost."""
    if file.nosuid or NOBODY in (inside(state.uid_map, file.uid), inside(state.gid_map, file.gid)):
        return ""
    words = []
    if file.mode & SET_UID and file.uid != state.uid[_EFFECTIVE]:
        words.append(f"as uid {inside(state.uid_map, file.uid)}")
    if file.mode & SET_GID and file.mode & GROUP_EXECUTE and file.gid != state.gid[_EFFECTIVE]:
        words.append(f"with group {inside(state.gid_map, file.gid)}")
    return " and ".join(words)
