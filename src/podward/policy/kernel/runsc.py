"""The state of a process inside a gVisor sandbox, as gVisor's own kernel reports it.

Specification (gVisor `pkg/sentry/kernel/auth`, `runsc/boot`, `pkg/sentry/fsimpl/proc`; runsc 20221219 as observed with
`--platform=ptrace`), in our words: the sandbox has its own kernel. Its first process takes ids and capability sets
from the spec unchanged: execve does not transform them, groups keep the spec's order, and CAP_NET_RAW is removed from
every set unless the operator allows it. Its `/proc/PID/status` has no CapAmb and no NoNewPrivs line (they are read as
0 and false). gVisor does not load the spec's seccomp filter, so the mode is 0. The process is in the sandbox's initial
user namespace with the identity map, no path is masked, and mounts have gVisor's flags. gVisor fails to start if the
spec names a capability that it does not know (above CAP_AUDIT_READ, 37).

The container's pid on the host belongs to the sandbox's own process. Its state must not be compared with this one:
read this state inside the sandbox (`runsc exec`).
"""

from __future__ import annotations

from podward.api.capability import CAP_NET_RAW, listed, mask
from podward.api.node import IDENTITY
from podward.api.oci import CapabilitySets, RuntimeSpec
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

GVISOR = rule("gVisor 20221219")
KNOWN = (1 << 38) - 1


def decide(spec: RuntimeSpec, sources: Sources) -> Decision:
    """The predicted state of the process, in ids of the sandbox."""
    user, process = spec.process.user, spec.process
    sets = process.capabilities or CapabilitySets()
    return merge(
        _identity("uid", "uid", (user.uid,) * 4, sources),
        _identity("gid", "gid", (user.gid,) * 4, sources),
        _identity("groups", "additionalGids", user.additional_gids, sources),
        *(
            _set(name, listed_names, sources)
            for name, listed_names in (
                ("inheritable", sets.inheritable),
                ("permitted", sets.permitted),
                ("effective", sets.effective),
                ("bounding", sets.bounding),
            )
        ),
        assign(path("cap_ambient"), 0, "gVisor does not report an ambient set", GVISOR),
        assign(path("no_new_privs"), False, "gVisor does not report it", GVISOR),
        assign(path("seccomp"), 0, "gVisor does not load the spec's filter", GVISOR),
        assign(path("uid_map"), IDENTITY, "the sandbox's initial user namespace", GVISOR),
        assign(path("gid_map"), IDENTITY, "the sandbox's initial user namespace", GVISOR),
        assign(path("masked"), (), "gVisor masks no path", GVISOR),
        assign(path("readonly_paths"), (), "gVisor covers no path", GVISOR),
        assign(path("oom_score_adj"), 0, "gVisor's own value", GVISOR),
        assign(path("root_readonly"), spec.root.readonly, "root.readonly", sources.of("root", "readonly")),
        assign(path("mounts"), (), "gVisor's mounts have flags of its own and are not compared", GVISOR),
        assign(path("host_namespaces"), (), "the sandbox's kernel shares none", GVISOR),
        assign(path("label"), None, "gVisor labels no process", GVISOR),
        assign(path("devices"), (), "gVisor has no devices of the host", GVISOR),
    )


def _identity(name: str, field: str, value: tuple[int, ...], sources: Sources) -> Decision:
    place = ("process", "user", field)
    return assign(path(name), sources.unknown(*place) or value, f"process.user.{field}", sources.of(*place))


def _set(name: str, names: tuple[str, ...], sources: Sources) -> Decision:
    bits = mask(names)
    decision = assign(
        path(f"cap_{name}"),
        bits & KNOWN & ~CAP_NET_RAW,
        f"process.capabilities.{name}, without CAP_NET_RAW",
        sources.of("process", "capabilities", name),
    )
    unknown = bits & ~KNOWN
    if not unknown:
        return decision
    reason = f"gVisor does not know {listed(unknown)} and fails to start"
    return decision + refuse(path("process", "capabilities", name), listed(unknown), reason, GVISOR)
