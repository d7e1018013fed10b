"""The manifest leaves a value to the runtime, and another runtime would set it differently.

Specification (containerd 2.2, CRI-O 1.33, Docker 29 behind cri-dockerd: their tables in `policy/runtime/defaults`), in
our words: the same manifest gives a root process 14 capabilities with containerd and Docker, and 9 with CRI-O. A
privileged process that is not root keeps no capabilities with containerd and Docker; with CRI-O it keeps all of them,
because CRI-O makes them ambient.
The rule compares the capabilities that the process can use, its ids and its groups, except those from the image's
/etc/group, for which there is `group-from-image`. It does not compare masked paths and the system calls that
RuntimeDefault allows: these always differ, and no manifest can make them equal.
The remedy drops by name the capabilities that only some runtimes give. Then all runtimes give the same ones, and the
manifest can add those that the process needs.
"""

from __future__ import annotations

from podward.api.capability import NAMES
from podward.api.explanation import Change, Hint
from podward.api.oci import RuntimeSpec
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, source_of, user_field
from podward.policy.hints.group_from_image import from_image

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
    own = usable_capabilities(here)
    differing: set[str] = set()
    clauses = []
    for name, spec in facts.alternatives:
        changed = own ^ usable_capabilities(spec)
        if changed:
            verb = "would take away" if changed <= own else "would give" if not changed & own else "would change"
            clauses.append(f"{_TITLES.get(name, name)} {verb} {', '.join(_sorted(changed))}")
            differing |= changed
    if not differing or facts.spec is None:
        return ()
    field = container_field(facts, "securityContext", "capabilities")
    written = facts.effective.value.security_context.capabilities
    listed = (written.drop if written is not None else None) or ()
    added = {name.upper() for name in (written.add if written is not None else None) or ()}
    fixable = not facts.effective.value.security_context.privileged and not added & {"ALL", *_sorted(differing)}
    changes = tuple(
        Change(field / "drop" / (len(listed) + index), name) for index, name in enumerate(_sorted(differing))
    )
    remedy = "Drop by name what the process does not need, and add what it needs: then every runtime gives the same."
    source = source_of(facts.spec.decision, path("process", "capabilities", "effective"), RULE)
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
            user_field(facts),
            f"The process's ids are the runtime's choice: {'; '.join(clauses)}.",
            "Write runAsUser, runAsGroup and supplementalGroups out.",
            (),
            source_of(facts.spec.decision, path("process", "user"), RULE),
        ),
    )


def usable_capabilities(spec: RuntimeSpec) -> set[str]:
    """The capabilities of an ordinary program with this spec: the effective set of root, else the ambient set."""
    sets = spec.process.capabilities
    if sets is None:
        return set()
    return set(sets.effective if spec.process.user.uid == 0 else sets.ambient)


def _ids(spec: RuntimeSpec) -> tuple[int, int, tuple[int, ...]]:
    user = spec.process.user
    return user.uid, user.gid, tuple(sorted({user.gid, *user.additional_gids}))


def _sorted(names: set[str]) -> tuple[str, ...]:
    """The names in the kernel's order, without CAP_ as in manifests."""
    return tuple(name.removeprefix("CAP_") for name in NAMES if name in names)
