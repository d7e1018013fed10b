"""The label that the machine's security module gives the process.

Specification (apparmor(7), selinux(8), runtime-spec 1.0.2 `process.apparmorProfile` and `process.selinuxLabel`), in
our words: without a module there is no label. AppArmor: the named profile, entered at execve(2), else "unconfined".
SELinux: the label, entered at execve(2), else what the process that starts the runtime has. A label for a module that
the machine has not is ignored by the runtimes; that the node can't honour it is refused by an earlier stage.
"""

from __future__ import annotations

from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign
from podward.path import path
from podward.policy.kernel.sources import NODE, Sources

PLACE = path("label")


def decide(spec: RuntimeSpec, lsm: str, inherited: str | None, sources: Sources) -> Decision:
    """`label`; `inherited` is that of the process that starts the runtime."""
    process = spec.process
    if lsm == "apparmor":
        named = process.apparmor_profile or "unconfined"
        return assign(PLACE, named, "process.apparmorProfile", sources.of("process", "apparmorProfile"))
    if lsm == "selinux":
        if process.selinux_label:
            return assign(PLACE, process.selinux_label, "process.selinuxLabel", sources.of("process", "selinuxLabel"))
        return assign(PLACE, inherited, "no process.selinuxLabel: inherited", NODE)
    return assign(PLACE, None, "no security module labels processes on this machine", NODE)
