"""What the two checks of capabilities.add share."""

from __future__ import annotations

from podward.policy.pss.check import ContainerRef, Facts
from podward.policy.pss.wording import owner


def forbidden_adds(facts: Facts, allowed: frozenset[str]) -> list[tuple[ContainerRef, list[tuple[int, str]]]]:
    """Containers that add what is not allowed, with the index and name of each such capability."""
    bad: list[tuple[ContainerRef, list[tuple[int, str]]]] = []
    for spot in facts.spots:
        capabilities = spot.context.capabilities
        if capabilities is not None and capabilities.add and not allowed.issuperset(capabilities.add):
            bad.append((spot, [(i, name) for i, name in enumerate(capabilities.add) if name not in allowed]))
    return bad


def kept_adds(spot: ContainerRef, allowed: frozenset[str]) -> tuple[str, ...] | None:
    """What of a container's adds is allowed; None where nothing is."""
    capabilities = spot.context.capabilities
    added = (capabilities.add if capabilities else None) or ()
    return tuple(name for name in added if name in allowed) or None


def sentence(spot: ContainerRef, name: str) -> str:
    """What is wrong with one added capability."""
    return f"{owner(spot)} adds the capability {name}."
