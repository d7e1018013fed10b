"""The capability sets that the runtime gives the process before execve(2).

Specification (capabilities(7), `cap_capset` of Linux 6.18; crun 1.8 and runc 1.1 as observed, which agree), in our
words. Unknown capability names are ignored; without `process.capabilities` all sets are empty. The runtime
- drops unlisted capabilities from the bounding set, which so becomes the listed capabilities that the machine has;
- changes the ids with "keep capabilities" on, so that a uid other than 0 loses nothing yet;
- sets effective, permitted and inheritable in one call. The kernel refuses the call with EPERM, and the runtime fails,
  if permitted has a capability that the runtime lacks, if effective has one that is not in permitted, or if
  inheritable has one that is not in the bounding set;
- raises each listed ambient capability that is both permitted and inheritable, and ignores the others.
If the container has its own user namespace, the runtime's process has every capability that the kernel knows there,
even those that root lacks on this machine.
"""

from __future__ import annotations

from podward.api.capability import FULL, listed, mask
from podward.api.oci import CapabilitySets, RuntimeSpec
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule
from podward.policy.kernel.user_namespace import UserNamespace

MANUAL = rule("capabilities(7)")


def decide(spec: RuntimeSpec, userns: UserNamespace, machine: int, sources: Sources) -> Decision:
    """`cap_inheritable`, `cap_permitted`, `cap_effective`, `cap_bounding` and `cap_ambient` before execve(2).

    `machine` is the mask of the capabilities that root has on this machine. The violations are the capabilities that
    the kernel refuses.
    """
    sets = spec.process.capabilities or CapabilitySets()
    available = FULL if userns.own else machine
    permitted, effective = mask(sets.permitted), mask(sets.effective)
    inheritable, bounding = mask(sets.inheritable), mask(sets.bounding) & available
    ambient = mask(sets.ambient) & permitted & inheritable
    return merge(
        _set("bounding", bounding, "what is listed of what the machine has", sources),
        _set("permitted", permitted, "as listed", sources),
        _set("effective", effective, "as listed", sources),
        _set("inheritable", inheritable, "as listed", sources),
        _set("ambient", ambient, "what is listed, permitted and inheritable", sources),
        _refuse("permitted", permitted & ~available, "this machine's root does not have it"),
        _refuse("effective", effective & ~permitted, "it is not in process.capabilities.permitted"),
        _refuse("inheritable", inheritable & ~bounding, "it is not in the bounding set"),
    )


def _set(name: str, value: int, reason: str, sources: Sources) -> Decision:
    return assign(
        path(f"cap_{name}"),
        value,
        f"process.capabilities.{name}: {reason}",
        sources.of("process", "capabilities", name),
    )


def _refuse(name: str, surplus: int, because: str) -> Decision:
    if not surplus:
        return Decision()
    return refuse(
        path("process", "capabilities", name),
        listed(surplus),
        f"the kernel refuses {listed(surplus)} in the {name} set (capset: EPERM, Operation not permitted): {because}",
        MANUAL,
    )
