"""What a check is: facts about a Pod in, a result out; and the cure.

A check belongs to a level and has revisions, each from a version on. A revision's rule answers None where it has
nothing against the Pod. Where it has, the result carries upstream's `reason` and `detail` to the letter, and a Decision
with a violation for each field that is at fault: its `reason` is a sentence of ours about that field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api.core import Container, Pod, PodSecurityContext, PodSpec, SecurityContext
from podward.api.explanation import Change
from podward.api.version import POD_SECURITY
from podward.decision import Decision, Origin, Source, Value, Violation
from podward.path import Path
from podward.policy.pss.standard import Level

POLICY = f"Pod Security Standards {POD_SECURITY}"
"""The newest policy that is imitated, as sources name it."""

_NOTHING_SET = SecurityContext()
_NOTHING_SET_ON_POD = PodSecurityContext()


class ContainerRef(Struct, frozen=True, gc=False):
    """One container and its place.

    `context` is what it sets, and empty where it has no security context: no check tells these apart.
    """

    field: str
    index: int
    container: Container
    context: SecurityContext

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name

    def at(self, *segments: str | int) -> Path:
        """A place inside the container."""
        return Path(("spec", self.field, self.index, *segments))

    def set_at(self, *segments: str | int) -> Path:
        """A place inside its security context."""
        return Path(("spec", self.field, self.index, "securityContext", *segments))


class Facts(Struct, frozen=True, gc=False):
    """What checks look at: a Pod, its own security context, and its containers: init, regular, ephemeral."""

    pod: Pod
    spec: PodSpec
    context: PodSecurityContext
    spots: tuple[ContainerRef, ...]

    @property
    def windows(self) -> bool:
        """Whether the Pod says that it runs on Windows."""
        return self.spec.os is not None and self.spec.os.name == "windows"

    @property
    def in_user_namespace(self) -> bool:
        """Whether the Pod asks for a user namespace: `hostUsers: false`."""
        return self.spec.host_users is False


class CheckResult(Struct, frozen=True, gc=False):
    """What a check has against a Pod: its id, upstream's words, and where."""

    check: str
    reason: str
    detail: str
    decision: Decision


class PssRemedy(Struct, frozen=True, gc=False):
    """The smallest change of the manifest that satisfies a check.

    Paths are in the Pod; a change to None removes the field, and is nothing where the field is absent. No changes: the
    cure is not a matter of fields, the sentence says what it is.
    """

    sentence: str
    changes: tuple[Change, ...] = ()


Rule: TypeAlias = Callable[[Facts], "CheckResult | None"]
Cure: TypeAlias = Callable[[Facts, CheckResult], PssRemedy]


class Revision(Struct, frozen=True):
    """A rule that holds since Kubernetes 1.`since`; at restricted it replaces the baseline checks `overrides`."""

    since: int
    rule: Rule
    overrides: tuple[str, ...] = ()


class Check(Struct, frozen=True):
    """A control of the standards; `revisions` from old to new. `cure` is asked about a result that a revision gave."""

    id: str
    level: Level
    revisions: tuple[Revision, ...]
    cure: Cure

    def revision(self, minor: int) -> Revision | None:
        """The revision that Kubernetes 1.`minor` has; None if the check is younger."""
        held = [revision for revision in self.revisions if revision.since <= minor]
        return held[-1] if held else None


def facts_of(pod: Pod) -> Facts:
    """The facts about this Pod, or about a workload's template in the form of one."""
    spec = pod.spec
    spots: list[ContainerRef] = []
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
        ("ephemeralContainers", spec.ephemeral_containers),
    ):
        if containers:
            spots += [
                ContainerRef(field, index, container, container.security_context or _NOTHING_SET)
                for index, container in enumerate(containers)
            ]
    return Facts(pod, spec, spec.security_context or _NOTHING_SET_ON_POD, tuple(spots))


def on_pod(*segments: str | int) -> Path:
    """A place inside the Pod's security context."""
    return Path(("spec", "securityContext", *segments))


def found(check: str, reason: str, detail: str, faults: list[tuple[Path, Value, str]]) -> CheckResult:
    """The result of a check with these faults: place, value and sentence of each."""
    source = Source(Origin.POLICY, f"{POLICY} {check}")
    return CheckResult(
        check,
        reason,
        detail,
        Decision(violations=tuple(Violation(at, value, why, source) for at, value, why in faults)),
    )
