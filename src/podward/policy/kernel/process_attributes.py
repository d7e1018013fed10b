"""The attributes of the process that execve(2) does not change: no_new_privs, seccomp, label, OOM score, namespaces.

Specification, in our words:
- no_new_privs and seccomp (prctl(2) PR_SET_NO_NEW_PRIVS, seccomp(2); crun 1.8 and runc 1.1 as observed): no_new_privs
  is `process.noNewPrivileges`. No runtime sets it to be able to load a seccomp filter, because both load the filter
  while they still have CAP_SYS_ADMIN. With `linux.seccomp`, even one that allows everything, the seccomp mode is 2
  (filter); without it there is no filter and the mode is 0. Both attributes survive execve(2).
- Label (apparmor(7), selinux(8), runtime-spec 1.0.2 `process.apparmorProfile` and `process.selinuxLabel`): without a
  security module there is no label. It is the named profile or label, entered at execve(2), else that of the process
  that starts the runtime: AppArmor's "unconfined", or in a container of another engine that engine's. The runtimes
  ignore a label for a module that the machine lacks; an earlier stage refuses a profile or label that the node can't
  apply.
- OOM score (proc(5) `oom_score_adj`, `__set_oom_adj` of Linux 6.18; crun 1.8 and runc 1.1 as observed): the runtime
  writes `process.oomScoreAdj` unchanged and fails if the kernel refuses it. The kernel refuses a value outside
  -1000..1000 (EINVAL) and, without CAP_SYS_RESOURCE on the host, a value below the inherited one (EACCES). Without the
  field the process inherits the value of the process that starts the runtime.
- Namespaces (namespaces(7), runtime-spec 1.0.2 `linux.namespaces`): a namespace kind that the spec does not list is
  shared with the runtime, that is with the host. A listed kind is a new namespace or an existing one joined by its
  path. A path always leads to a namespace of the Pod, because the entry is left out for the host's. Time namespaces are
  not reported: none of our specs lists them.
"""

from __future__ import annotations

from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign, refuse
from podward.path import path
from podward.policy.kernel.sources import NODE, Sources, rule

SECCOMP_NONE, SECCOMP_FILTER = 0, 2
OOM_SCORE = rule("proc(5)")
OOM_SCORE_FIELD = path("process", "oomScoreAdj")
LOWEST_OOM_SCORE, HIGHEST_OOM_SCORE = -1000, 1000
LABEL = path("label")
NAMESPACE_KINDS = ("cgroup", "ipc", "mount", "network", "pid", "user", "uts")
"""The kinds of namespaces by their names in the runtime specification, sorted."""


def decide_seccomp(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`no_new_privs` and `seccomp`."""
    no_new_privs = sources.of("process", "noNewPrivileges")
    mode, why = (SECCOMP_NONE, "no linux.seccomp")
    if spec.linux.seccomp is not None:
        mode, why = (SECCOMP_FILTER, "linux.seccomp is a filter")
    return assign(
        path("no_new_privs"), spec.process.no_new_privileges, "process.noNewPrivileges", no_new_privs
    ) + assign(path("seccomp"), mode, why, sources.of("linux", "seccomp"))


def decide_label(spec: RuntimeSpec, lsm: str, inherited: str | None, sources: Sources) -> Decision:
    """`label`; `inherited` is the label of the process that starts the runtime."""
    process = spec.process
    asked = {"apparmor": process.apparmor_profile, "selinux": process.selinux_label}.get(lsm)
    field = "selinuxLabel" if lsm == "selinux" else "apparmorProfile"
    if asked:
        return assign(LABEL, asked, f"process.{field}", sources.of("process", field))
    if inherited is None:
        return assign(LABEL, None, "no security module labels processes on this machine", NODE)
    return assign(LABEL, inherited, f"no process.{field}: inherited" if lsm else "no label is given: inherited", NODE)


def decide_oom_score(spec: RuntimeSpec, inherited: int, node: Node, sources: Sources) -> Decision:
    """`oom_score_adj`; a violation if the kernel refuses the value.

    `inherited` is the value of the process that starts the runtime.
    """
    place, value = path("oom_score_adj"), spec.process.oom_score_adj
    if value is None:
        return assign(
            place, inherited, "no process.oomScoreAdj: inherited from the process that starts the runtime", NODE
        )
    decision = assign(place, value, "process.oomScoreAdj", sources.of("process", "oomScoreAdj"))
    if not LOWEST_OOM_SCORE <= value <= HIGHEST_OOM_SCORE:
        reason = f"must be between {LOWEST_OOM_SCORE} and {HIGHEST_OOM_SCORE}, inclusive (EINVAL)"
        return decision + refuse(OOM_SCORE_FIELD, value, reason, OOM_SCORE)
    if value < inherited and not node.lowers_oom_scores:
        return decision + refuse(
            OOM_SCORE_FIELD,
            value,
            f"is below {inherited}, the value of this process, and without CAP_SYS_RESOURCE the kernel does not let it "
            "be lowered (EACCES, Permission denied)",
            OOM_SCORE,
        )
    return decision


def decide_host_namespaces(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`host_namespaces`: the kinds that the process shares with the host, sorted."""
    own = {namespace.type for namespace in spec.linux.namespaces}
    shared = tuple(kind for kind in NAMESPACE_KINDS if kind not in own)
    return assign(
        path("host_namespaces"),
        shared,
        "the kinds that linux.namespaces does not list",
        sources.of("linux", "namespaces"),
    )
