"""The capability sets.

Specification, in our words. Bounding, effective and permitted are the same set; inheritable and ambient are empty
(since CVE-2022-24769), whatever addAmbientCapabilities says, which none of the three reads.
- containerd (2.2 `customopts.WithCapabilities`): starts from its defaults. `ALL` among add makes it everything, then
  `ALL` among drop makes it nothing, then the names are added, then dropped: drop wins. Names are upper-cased and
  always get `CAP_` in front, so `CAP_NET_ADMIN` is asked for as `CAP_CAP_NET_ADMIN`, which does not exist.
- CRI-O (1.33 `SpecSetupCapabilities`): its defaults count only if neither list has `ALL`; then as containerd. A name
  that begins with `cap_` in any case is taken as it is written; an unknown name is an error, dropped or added.
- Docker (29 `caps.TweakCapabilities`): `ALL` added: everything but the drops; else `ALL` dropped: just the adds; else
  the defaults less the drops, plus the adds: add wins. Names are upper-cased and get `CAP_` if they lack it; an
  unknown name is an error, and so is one that this machine has not.
- Privileged: everything that this machine has, the lists are not looked at; CRI-O (runtime-tools `SetupPrivileged`)
  gives everything to the inheritable and ambient sets as well.
- What the machine's root lacks can't be given and is left out; a Pod with its own user namespace has a whole new set.
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
SAME = ("bounding", "effective", "permitted")
ALSO = ("inheritable", "ambient")


class _Asked(Struct, frozen=True, gc=False):
    """The two lists in a runtime's own spelling, `ALL` taken out, and which list had it."""

    add: tuple[str, ...]
    drop: tuple[str, ...]
    add_all: bool
    drop_all: bool


def decide(
    context: LinuxContainerSecurityContext, machine: int, *, own_userns: bool, runtime: RuntimeProfile
) -> Decision:
    """All five sets, names sorted by number; `machine` is the mask of what root has here."""
    available = FULL if own_userns else machine & FULL
    if context.privileged:
        return _privileged(available, runtime)
    asked = _asked(context.capabilities or Capability(), runtime)
    refused = _refusals(asked, available, runtime)
    wanted = _RUNTIMES[runtime.name](mask(runtime.defaults.capabilities), asked)
    reason = _reason(asked, runtime) + _lacking(wanted, available)
    source = runtime.of("securityContext", "capabilities")
    if context.capabilities is None:
        source = runtime.source
    return refused + _sets(names(wanted & available), reason, source, runtime)


def bounding_of(decision: Decision) -> tuple[str, ...]:
    """The bounding set that `decide` assigned."""
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
        tuple(Assignment(PLACE / name, given, reason, source) for name in SAME)
        + tuple(Assignment(PLACE / name, (), none, runtime.source) for name in ALSO)
    )


def _privileged(available: int, runtime: RuntimeProfile) -> Decision:
    source = runtime.of("securityContext", "privileged")
    reason = "privileged: everything that there is" + _lacking(FULL, available)
    decision = _sets(names(available), reason, source, runtime)
    if runtime.name != "cri-o":
        return decision
    everything = tuple(Assignment(PLACE / name, names(available), reason, source) for name in ALSO)
    return Decision(decision.assignments[: len(SAME)] + everything)


def _asked(lists: Capability, runtime: RuntimeProfile) -> _Asked:
    spell = _SPELLING[runtime.name]
    return _Asked(
        add=tuple(spell(name) for name in lists.add if name.upper() != "ALL"),
        drop=tuple(spell(name) for name in lists.drop if name.upper() != "ALL"),
        add_all=any(name.upper() == "ALL" for name in lists.add),
        drop_all=any(name.upper() == "ALL" for name in lists.drop),
    )


def _prefixed(name: str) -> str:
    return "CAP_" + name.upper()


def _as_written(name: str) -> str:
    return name if name.lower().startswith("cap_") else _prefixed(name)


def _prefixed_once(name: str) -> str:
    return name.upper() if name.lower().startswith("cap_") else _prefixed(name)


_SPELLING = {"containerd": _prefixed, "cri-o": _as_written, "docker": _prefixed_once}


def _as_containerd(base: int, asked: _Asked) -> int:
    wanted = FULL if asked.add_all else base
    if asked.drop_all:
        wanted = 0
    return (wanted | mask(asked.add)) & ~mask(asked.drop)


def _as_crio(base: int, asked: _Asked) -> int:
    return _as_containerd(0 if asked.add_all or asked.drop_all else base, asked)


def _as_docker(base: int, asked: _Asked) -> int:
    if asked.add_all:
        return FULL & ~mask(asked.drop)
    if asked.drop_all:
        return mask(asked.add)
    return (base & ~mask(asked.drop)) | mask(asked.add)


_RUNTIMES = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_docker}


def _refusals(asked: _Asked, available: int, runtime: RuntimeProfile) -> Decision:
    """Names that do not exist; containerd's runtimes pass over an unknown name that is dropped."""
    refused = Decision()
    checked = (("add", asked.add), ("drop", asked.drop if runtime.name != "containerd" else ()))
    for field, listed in checked:
        source = runtime.of("securityContext", "capabilities")
        for name in listed:
            sentence = ""
            if name not in BITS:
                sentence = f"unknown capability: {quote(name)}"
            elif runtime.name == "docker" and not BITS[name] & available:
                sentence = (
                    "capability not supported by your kernel or not available in the current environment: "
                    + quote(name)
                )
            if sentence:
                refused += refuse(PLACE / field, name, sentence, source)
    return refused


def _reason(asked: _Asked, runtime: RuntimeProfile) -> str:
    words = [f"the {len(runtime.defaults.capabilities)} of {runtime.source.name}"]
    if asked.add_all or asked.add:
        words.append("add " + ", ".join((*(("ALL",) if asked.add_all else ()), *asked.add)))
    if asked.drop_all or asked.drop:
        words.append("drop " + ", ".join((*(("ALL",) if asked.drop_all else ()), *asked.drop)))
    return "; ".join(words)


def _lacking(wanted: int, available: int) -> str:
    missing = names(wanted & ~available)
    return f"; without {', '.join(missing)}: root on this machine does not have it" if missing else ""
