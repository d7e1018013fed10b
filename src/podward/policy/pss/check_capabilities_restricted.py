"""capabilities_restricted: containers drop all capabilities, and may only add NET_BIND_SERVICE.

Specification (k8s.io/pod-security-admission, in our words), level restricted, overrides capabilities_baseline:

- since 1.22: each container's capabilities.drop has `ALL`, and capabilities.add nothing but `NET_BIND_SERVICE`,
  written exactly so
- since 1.25: not asked of a Pod with os.name windows, whatever it adds
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.added_capabilities import forbidden_adds, kept_adds, sentence
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.windows import NOT_EXEMPT_YET
from podward.policy.pss.wording import containers, joined, owner

ID = "capabilities_restricted"
_OVERRIDES = ("capabilities_baseline",)
_ALLOWED = frozenset(("NET_BIND_SERVICE",))
_ALL = "ALL"


def _drops(spot: ContainerRef) -> tuple[str, ...]:
    capabilities = spot.context.capabilities
    return (capabilities.drop if capabilities else None) or ()


def _written(spot: ContainerRef) -> Value:
    """What is at fault: an empty list that is written is not the same as none."""
    capabilities = spot.context.capabilities
    return capabilities.drop if capabilities else None


def _not_dropping(facts: Facts) -> list[ContainerRef]:
    return [spot for spot in facts.spots if _ALL not in _drops(spot)]


def _every_container(facts: Facts) -> CheckResult | None:
    keeping = _not_dropping(facts)
    adding = forbidden_adds(facts, _ALLOWED)
    if not (keeping or adding):
        return None
    faults: list[tuple[Path, Value, str]] = [
        (spot.set_at("capabilities", "drop"), _written(spot), f"{owner(spot)} does not drop ALL capabilities.")
        for spot in keeping
    ]
    faults += [
        (spot.set_at("capabilities", "add", index), name, sentence(spot, name))
        for spot, names in adding
        for index, name in names
    ]
    sentences: list[str] = []
    if keeping:
        sentences.append(f'{containers(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        every = joined(sorted({name for _, names in adding for _, name in names}))
        who = containers([spot for spot, _ in adding])
        sentences.append(f"{who} must not include {every} in securityContext.capabilities.add")
    return found(ID, "unrestricted capabilities", "; ".join(sentences), faults)


def _linux(facts: Facts) -> CheckResult | None:
    return None if facts.windows else _every_container(facts)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del result
    if facts.windows:
        return NOT_EXEMPT_YET
    drops = [Change(spot.set_at("capabilities", "drop"), _with_all(_drops(spot))) for spot in _not_dropping(facts)]
    adds = [
        Change(spot.set_at("capabilities", "add"), kept_adds(spot, _ALLOWED))
        for spot, _ in forbidden_adds(facts, _ALLOWED)
    ]
    return PssRemedy("Drop ALL capabilities, and add none but NET_BIND_SERVICE.", (*drops, *adds))


def _with_all(drops: tuple[str, ...]) -> tuple[str, ...]:
    """The drops with `ALL`, in the place of one that is only written otherwise: `all` is not enough here."""
    meant = [name.upper() == _ALL for name in drops]
    if not any(meant):
        return (*drops, _ALL)
    first = meant.index(True)
    kept = [_ALL if index == first else name for index, name in enumerate(drops) if index <= first or not meant[index]]
    return tuple(kept)


CHECK = Check(
    ID,
    Level.RESTRICTED,
    (Revision(22, _every_container, _OVERRIDES), Revision(25, _linux, _OVERRIDES)),
    _cure,
)
