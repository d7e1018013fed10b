"""A value that the manifest leaves to the runtime, and that another runtime would set otherwise.

Specification (containerd 2.2, CRI-O 1.33, Docker 29 behind cri-dockerd: their tables in `policy/runtime/defaults`), in
our words: the same manifest gives a root process 14 capabilities with containerd and Docker and 9 with CRI-O; a
privileged process that is not root keeps none with the former and all of them with CRI-O, which makes them ambient.
Compared are the capabilities that the process really has, its ids and its groups (but for those from the image's
/etc/group, about which `group-from-image` speaks). Not compared: masked paths and the system calls that RuntimeDefault
allows, which always differ and which no manifest can make equal.
The remedy drops by name what only some runtimes give: then all give the same, and what is missed can be added by name.
"""

from __future__ import annotations

from podward.api.capability import NAMES
from podward.api.explanation import Change, Hint
from podward.api.oci import RuntimeSpec
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.group_from_image import from_image
from podward.policy.hints.manifest import decided, field_of_the_user, of_container

NAME = "runtime-defaults-differ"
RULE = Source(Origin.DEFAULT, "the runtimes' default tables")
_TITLES = {"containerd": "containerd", "cri-o": "CRI-O", "docker": "Docker"}


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint about capabilities and one about ids."""
    if facts.spec is None:
        return ()
    here = facts.spec.value
    return _capabilities(facts, here) + _identities(facts, here)


def _capabilities(facts: HintFacts, here: RuntimeSpec) -> tuple[Hint, ...]:
    mine = held(here)
    differing: set[str] = set()
    clauses = []
    for name, spec in facts.alternatives:
        changed = mine ^ held(spec)
        if changed:
            verb = "would take away" if changed <= mine else "would give" if not changed & mine else "would change"
            clauses.append(f"{_TITLES.get(name, name)} {verb} {', '.join(_sorted(changed))}")
            differing |= changed
    if not differing or facts.spec is None:
        return ()
    field = of_container(facts, "securityContext", "capabilities")
    written = facts.effective.value.security_context.capabilities
    listed = (written.drop if written is not None else None) or ()
    added = {name.upper() for name in (written.add if written is not None else None) or ()}
    fixable = not facts.effective.value.security_context.privileged and not added & {"ALL", *_sorted(differing)}
    changes = tuple(
        Change(field / "drop" / (len(listed) + index), name) for index, name in enumerate(_sorted(differing))
    )
    remedy = "Drop by name what the process does not need, and add what it needs: then every runtime gives the same."
    source = decided(facts.spec.decision, path("process", "capabilities", "effective"), RULE)
    problem = f"The process's capabilities are the runtime's choice: {'; '.join(clauses)}."
    return (Hint(NAME, facts.container.name, field, problem, remedy, changes if fixable else (), source),)


def _identities(facts: HintFacts, here: RuntimeSpec) -> tuple[Hint, ...]:
    implied = {row.value for row in from_image(facts)}
    clauses = []
    for name, spec in facts.alternatives:
        others = _ids(spec)
        if others[:2] != _ids(here)[:2] or {*others[2]} - implied != {*_ids(here)[2]} - implied:
            groups = " ".join(map(str, others[2]))
            clauses.append(f"{_TITLES.get(name, name)} would make it uid {others[0]}, gid {others[1]}, groups {groups}")
    if not clauses or facts.spec is None:
        return ()
    return (
        Hint(
            NAME,
            facts.container.name,
            field_of_the_user(facts),
            f"The process's ids are the runtime's choice: {'; '.join(clauses)}.",
            "Write runAsUser, runAsGroup and supplementalGroups out.",
            (),
            decided(facts.spec.decision, path("process", "user"), RULE),
        ),
    )


def held(spec: RuntimeSpec) -> set[str]:
    """The capabilities that an ordinary program started from this spec has: root's effective, or the ambient ones."""
    sets = spec.process.capabilities
    if sets is None:
        return set()
    return set(sets.effective if spec.process.user.uid == 0 else sets.ambient)


def _ids(spec: RuntimeSpec) -> tuple[int, int, tuple[int, ...]]:
    user = spec.process.user
    return user.uid, user.gid, tuple(sorted({user.gid, *user.additional_gids}))


def _sorted(names: set[str]) -> tuple[str, ...]:
    """In the kernel's order, as manifests write them."""
    return tuple(name.removeprefix("CAP_") for name in NAMES if name in names)
