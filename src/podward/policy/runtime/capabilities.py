"""The capability sets in the spec.

Specification, in our words. Bounding, effective and permitted are the same set; inheritable and ambient are empty
(since CVE-2022-24769). None of the three runtimes reads addAmbientCapabilities.
- containerd (2.2 `customopts.WithCapabilities`) starts with its defaults. `ALL` in add makes the set full, then `ALL`
  in drop makes it empty; then the names in add are added and those in drop are removed, so drop wins. Names are
  upper-cased and always prefixed by `CAP_`: `CAP_NET_ADMIN` becomes `CAP_CAP_NET_ADMIN`, which does not exist. What
  does not exist stands in the spec, and crun and runc leave it out.
- CRI-O (1.33 `SpecSetupCapabilities`) does the same, but starts with an empty set if one of the lists has `ALL`. A name
  that begins with `cap_` in any case is used as it is written. An unknown name is an error in both lists.
- Docker (29 `caps.TweakCapabilities`): if add has `ALL`, all but those in drop; else if drop has `ALL`, only those in
  add; else the defaults without those in drop, plus those in add, so add wins. Names are upper-cased and get `CAP_` if
  they lack it. An unknown name is an error, and so is a capability that this machine does not have.
- A privileged container gets all capabilities that this machine has; the lists are ignored. CRI-O (runtime-tools
  `SetupPrivileged`) fills the inheritable and ambient sets as well.
- Capabilities that root lacks on this machine can't be given, so they are left out. In its own user namespace a Pod has
  all capabilities.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.capability import BITS, FULL, mask, names
from podward.api.cri import Capability, LinuxContainerSecurityContext
from podward.api.gotext import quote
from podward.decision import Assignment, Decision, Source, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("process", "capabilities")
FILLED_SETS = ("bounding", "effective", "permitted")
EMPTY_SETS = ("inheritable", "ambient")


class _AddAndDrop(Struct, frozen=True, gc=False):
    """The two lists of the message in the runtime's spelling, without `ALL`, and whether each list had `ALL`."""

    add: tuple[str, ...]
    drop: tuple[str, ...]
    add_all: bool
    drop_all: bool


def decide(
    context: LinuxContainerSecurityContext, machine: int, *, own_userns: bool, runtime: RuntimeProfile
) -> Decision:
    """All five sets, names sorted by number; `machine` is the mask of root's capabilities on this machine."""
    available = FULL if own_userns else machine & FULL
    if context.privileged:
        return _privileged(available, runtime)
    lists = _add_and_drop(context.capabilities or Capability(), runtime)
    refused = _refusals(lists, available, runtime)
    requested = _RUNTIMES[runtime.name](mask(runtime.defaults.capabilities), lists)
    reason = _reason(lists, runtime) + _lacking(requested, available)
    source = runtime.source_of("linux", "securityContext", "capabilities")
    if context.capabilities is None:
        source = runtime.source
    return refused + _sets(names(requested & available), reason, source, runtime)


def bounding_of(decision: Decision) -> tuple[str, ...]:
    """The bounding set in the Decision of `decide`."""
    return decision.fold(_Spec).process.capabilities.bounding


class _Bounding(Struct, frozen=True):
    bounding: tuple[str, ...] = ()


class _Process(Struct, frozen=True):
    capabilities: _Bounding = _Bounding()


class _Spec(Struct, frozen=True):
    process: _Process = _Process()


def _sets(given: tuple[str, ...], reason: str, source: Source, runtime: RuntimeProfile) -> Decision:
    none = f"always empty in {runtime.source.name}"
    return Decision(
        tuple(Assignment(PLACE / name, given, reason, source) for name in FILLED_SETS)
        + tuple(Assignment(PLACE / name, (), none, runtime.source) for name in EMPTY_SETS)
    )


def _privileged(available: int, runtime: RuntimeProfile) -> Decision:
    source = runtime.source_of("linux", "securityContext", "privileged")
    reason = "privileged: everything that there is" + _lacking(FULL, available)
    decision = _sets(names(available), reason, source, runtime)
    if runtime.name != "cri-o":
        return decision
    everything = tuple(Assignment(PLACE / name, names(available), reason, source) for name in EMPTY_SETS)
    return Decision(decision.assignments[: len(FILLED_SETS)] + everything)


def _add_and_drop(message: Capability, runtime: RuntimeProfile) -> _AddAndDrop:
    spell = _SPELLING[runtime.name]
    return _AddAndDrop(
        add=tuple(spell(name) for name in message.add if name.upper() != "ALL"),
        drop=tuple(spell(name) for name in message.drop if name.upper() != "ALL"),
        add_all=any(name.upper() == "ALL" for name in message.add),
        drop_all=any(name.upper() == "ALL" for name in message.drop),
    )


def _prefixed(name: str) -> str:
    return "CAP_" + name.upper()


def _as_written(name: str) -> str:
    return name if name.lower().startswith("cap_") else _prefixed(name)


def _prefixed_once(name: str) -> str:
    return name.upper() if name.lower().startswith("cap_") else _prefixed(name)


_SPELLING = {"containerd": _prefixed, "cri-o": _as_written, "docker": _prefixed_once}


def _as_containerd(defaults: int, lists: _AddAndDrop) -> int:
    base = FULL if lists.add_all else defaults
    if lists.drop_all:
        base = 0
    return (base | mask(lists.add)) & ~mask(lists.drop)


def _as_crio(defaults: int, lists: _AddAndDrop) -> int:
    return _as_containerd(0 if lists.add_all or lists.drop_all else defaults, lists)


def _as_docker(defaults: int, lists: _AddAndDrop) -> int:
    if lists.add_all:
        return FULL & ~mask(lists.drop)
    if lists.drop_all:
        return mask(lists.add)
    return (defaults & ~mask(lists.drop)) | mask(lists.add)


_RUNTIMES = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_docker}


def _refusals(lists: _AddAndDrop, available: int, runtime: RuntimeProfile) -> Decision:
    """Violations for unknown names; containerd passes them on, and the OCI runtime leaves them out."""
    refused = Decision()
    if runtime.name == "containerd":
        return refused
    for field, listed in (("add", lists.add), ("drop", lists.drop)):
        source = runtime.source_of("linux", "securityContext", "capabilities")
        for name in listed:
            sentence = ""
            if name not in BITS:
                sentence = f"unknown capability: {quote(name)}"
                if runtime.name == "cri-o":
                    sentence = f"unknown capability {quote(name)} to {field}"
            elif runtime.name == "docker" and not BITS[name] & available:
                sentence = (
                    "capability not supported by your kernel or not available in the current environment: "
                    + quote(name)
                )
            if sentence:
                refused += refuse(PLACE / field, name, sentence, source)
    return refused


def _reason(lists: _AddAndDrop, runtime: RuntimeProfile) -> str:
    words = [f"the {len(runtime.defaults.capabilities)} of {runtime.source.name}"]
    if lists.add_all or lists.add:
        words.append("add " + ", ".join((*(("ALL",) if lists.add_all else ()), *lists.add)))
    if lists.drop_all or lists.drop:
        words.append("drop " + ", ".join((*(("ALL",) if lists.drop_all else ()), *lists.drop)))
    return "; ".join(words)


def _lacking(requested: int, available: int) -> str:
    missing = names(requested & ~available)
    return f"; without {', '.join(missing)}: root on this machine does not have it" if missing else ""
