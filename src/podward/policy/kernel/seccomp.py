"""no_new_privs and the seccomp mode.

Specification (prctl(2) PR_SET_NO_NEW_PRIVS, seccomp(2); crun 1.8 and runc 1.1 as observed), in our words: no_new_privs
is what `process.noNewPrivileges` says; neither runtime sets it for the sake of a seccomp filter, since they load the
filter while they still hold CAP_SYS_ADMIN. A spec with `linux.seccomp`, even one that allows everything, makes the mode
2 (filter); without it there is no filter and the mode is 0. Both survive execve(2).
"""

from __future__ import annotations

from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign
from podward.path import path
from podward.policy.kernel.sources import Sources

NONE, FILTER = 0, 2


def decide(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`no_new_privs` and `seccomp`."""
    value = spec.process.no_new_privileges
    mode, why = (FILTER, "linux.seccomp is a filter") if spec.linux.seccomp is not None else (NONE, "no linux.seccomp")
    return assign(
        path("no_new_privs"), value, "process.noNewPrivileges", sources.of("process", "noNewPrivileges")
    ) + assign(path("seccomp"), mode, why, sources.of("linux", "seccomp"))
