"""A name in `capabilities` that is no capability.

Specification (containerd 2.2, CRI-O 1.33, Docker 29), in our words: containerd puts `CAP_` before every name, also
before one that has it, and what comes of an unknown name is left out by the OCI runtime without a word. CRI-O and
Docker take a name with the prefix as it is, and refuse a container with an unknown name. The API server looks at no
name.
"""

from __future__ import annotations

from podward.api.capability import BITS
from podward.api.core import Container
from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts, container_field, manifest_source

NAME = "unknown-capability"
_PREFIX = "CAP_"
_CONTAINERD = "containerd"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """A hint for each such name."""
    listed = unknown(facts.container)
    if not listed:
        return ()
    found: list[Hint] = []
    for field, index, name in listed:
        known = _meant(name)
        prefixed = name.upper() in BITS
        if prefixed and facts.node.runtime_defaults != _CONTAINERD:
            continue
        place = container_field(facts, "securityContext", "capabilities", field, index)
        found.append(
            Hint(
                NAME,
                facts.container.name,
                place,
                _problem(name, field, prefixed=prefixed),
                f"Write {known}." if known else "Write a name of capabilities(7), without CAP_.",
                (Change(place, known),) if known else (),
                manifest_source(facts, place),
            )
        )
    return tuple(found)


def unknown(container: Container) -> tuple[tuple[str, int, str], ...]:
    """Each name that containerd knows no capability for: its list, its place there, and the name."""
    context = container.security_context
    lists = context.capabilities if context is not None and not context.privileged else None
    if lists is None:
        return ()
    return tuple(
        (field, index, name)
        for field, names in (("add", lists.add), ("drop", lists.drop))
        for index, name in enumerate(names or ())
        if name.upper() != "ALL" and f"{_PREFIX}{name.upper()}" not in BITS
    )


def _problem(name: str, field: str, *, prefixed: bool) -> str:
    does = "adds" if field == "add" else "drops"
    if prefixed:
        return f"{name} {does} nothing under containerd, which makes {_PREFIX}{name.upper()} of it: no capability."
    return f"{name} is no capability: it {does} nothing under containerd, and CRI-O and Docker refuse the container."


def _meant(name: str) -> str:
    """The capability that is meant, without its prefix; empty if nobody can know."""
    from difflib import get_close_matches  # few manifests come so far

    plain = name.upper().removeprefix(_PREFIX).replace("-", "_")
    names = [known.removeprefix(_PREFIX) for known in BITS]
    return next(iter(get_close_matches(plain, names, 1, 0.75)), "")
