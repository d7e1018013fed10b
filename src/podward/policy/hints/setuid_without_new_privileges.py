"""no_new_privs makes the kernel ignore the setuid or setgid bit of the entry file.

Specification (execve(2), prctl(2) PR_SET_NO_NEW_PRIVS, kubelet), in our words: `allowPrivilegeEscalation: false`
sets no_new_privs, and then execve(2) ignores the setuid and setgid bits: programs such as ping, su and sudo run with
the ids of the user who starts them and fail with EPERM. The hint is given if the container's entry is such a file. Its
owner, or (with the group's execute bit) its group, must differ from the process's, and both ids must be mapped in its
user namespace. For a script the last interpreter is checked. Programs that the entry starts later are not known here.
No hint is given on a mount with nosuid, where the bits never have an effect.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.api.image import EntryFile
from podward.api.process import ProcessState
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, source_of
from podward.policy.hints.identity import NOBODY, inside

NAME = "setuid-without-new-privileges"
RULE = Source(Origin.RULE, "execve(2)")
SET_UID, SET_GID, GROUP_EXECUTE = 0o4000, 0o2000, 0o010
_EFFECTIVE = 1


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint."""
    if facts.predicted is None or facts.entry is None or not facts.predicted.value.no_new_privs:
        return ()
    file = _last_interpreter(facts.entry)
    lost = _lost(file, facts.predicted.value)
    if not lost:
        return ()
    field = container_field(facts, "securityContext", "allowPrivilegeEscalation")
    return (
        Hint(
            NAME,
            facts.container.name,
            field,
            f"{file.path} (mode {file.mode & 0o7777:04o}) is meant to run {lost}; under "
            "allowPrivilegeEscalation: false it will not.",
            "Set allowPrivilegeEscalation: true, or give the process what the program needs and take the bit away.",
            (Change(field, True),),
            source_of(facts.effective.decision, path("noNewPrivs"), RULE),
        ),
    )


def _last_interpreter(entry: EntryFile) -> EntryFile:
    while entry.interpreter is not None:
        entry = entry.interpreter
    return entry


def _lost(file: EntryFile, state: ProcessState) -> str:
    """The ids that the bits would have given, as a phrase; empty if nothing is lost."""
    if file.nosuid or NOBODY in (inside(state.uid_map, file.uid), inside(state.gid_map, file.gid)):
        return ""
    words = []
    if file.mode & SET_UID and file.uid != state.uid[_EFFECTIVE]:
        words.append(f"as uid {inside(state.uid_map, file.uid)}")
    if file.mode & SET_GID and file.mode & GROUP_EXECUTE and file.gid != state.gid[_EFFECTIVE]:
        words.append(f"with group {inside(state.gid_map, file.gid)}")
    return " and ".join(words)
