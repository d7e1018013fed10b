"""The command changes owners as root, but root lacks CAP_CHOWN.

Specification (capabilities(7), chown(2)), in our words: without CAP_CHOWN nobody gives a file to another user, not
even uid 0, and chown(2) fails with EPERM. The hint is given if the command, or a script in it, calls chown, the
process's uid is 0, and CAP_CHOWN is not in the predicted effective set. What the entry's program does by itself is not
known.
"""

from __future__ import annotations

from re import compile as pattern

from podward.api.capability import BITS
from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, source_of

NAME = "root-cannot-chown"
RULE = Source(Origin.RULE, "capabilities(7)")
_CHOWN = BITS["CAP_CHOWN"]
_CALLED = pattern(r"(?:^|[\s;&|(/`])chown\s")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint."""
    if facts.predicted is None or facts.spec is None or facts.spec.value.process.user.uid != 0:
        return ()
    words = " ".join(facts.spec.value.process.args)
    if facts.predicted.value.cap_effective & _CHOWN or not _CALLED.search(f"{words} "):
        return ()
    change = _change(facts)
    return (
        Hint(
            NAME,
            facts.container.name,
            change.path,
            "Root cannot chown here: CHOWN is not among its capabilities, and chown(2) fails with EPERM.",
            "Give it CHOWN, or let fsGroup give volumes to a group.",
            (change,),
            source_of(facts.predicted.decision, path("cap_effective"), RULE),
        ),
    )


def _change(facts: HintFacts) -> Change:
    """Take CHOWN out of what is dropped by name, else add it."""
    context = facts.container.security_context
    lists = context.capabilities if context is not None else None
    dropped = (lists.drop if lists is not None else None) or ()
    added = (lists.add if lists is not None else None) or ()
    place = container_field(facts, "securityContext", "capabilities")
    for index, name in enumerate(dropped):
        if name.upper() == "CHOWN":
            return Change(place / "drop" / index, None)
    return Change(place / "add" / len(added), "CHOWN")
