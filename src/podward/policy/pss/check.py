"""The types of a check: it takes facts about a Pod and returns a result, and it knows a remedy.

A check belongs to a level and has revisions, each of which holds from a version of Kubernetes on. A revision's rule
returns None if the Pod passes. Otherwise the result has upstream's exact `reason` and `detail`, and a Decision with a
violation for each bad field. The violation's `reason` is our own sentence about that field.
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
"""The newest version of the policy, as sources name it."""

_NOTHING_SET = SecurityContext()
_NOTHING_SET_ON_POD = PodSecurityContext()


class ContainerRef(Struct, frozen=True, gc=False):
    """One container and its path: the name of its list in the Pod's spec, and its index there.

    `context` is its security context, an empty one if it has none: checks treat both alike.
    """

    list_name: str
    index: int
    spec: Container
    context: SecurityContext

    @property
    def name(self) -> str:
        """The container's name."""
        return self.spec.name

    def path(self, *segments: str | int) -> Path:
        """The path of a field of the container."""
        return Path(("spec", self.list_name, self.index, *segments))

    def context_path(self, *segments: str | int) -> Path:
        """The path of a field of its security context."""
        return Path(("spec", self.list_name, self.index, "securityContext", *segments))


class PssFacts(Struct, frozen=True, gc=False):
    """The facts for checks: a Pod, its security context, and its containers (init, regular, ephemeral)."""

    pod: Pod
    spec: PodSpec
    context: PodSecurityContext
    containers: tuple[ContainerRef, ...]

    @property
    def windows(self) -> bool:
        """Whether the Pod is for Windows: `os.name: windows`."""
        return self.spec.os is not None and self.spec.os.name == "windows"

    @property
    def in_user_namespace(self) -> bool:
        """Whether the Pod has its own user namespace: `hostUsers: false`."""
        return self.spec.host_users is False


class CheckResult(Struct, frozen=True, gc=False):
    """The result of a check that a Pod fails: the check's id, upstream's words, and the bad fields."""

    check: str
    reason: str
    detail: str
    decision: Decision


class PssRemedy(Struct, frozen=True, gc=False):
    """The smallest change of the manifest that satisfies a check.

    Paths are in the Pod. A change to None removes the field, and does nothing if the field is absent. There are no
    changes if fields cannot satisfy the check; the sentence then says what to do.
    """

    sentence: str
    changes: tuple[Change, ...] = ()


WINDOWS_NEEDS_V1_25 = PssRemedy(
    "A Windows Pod cannot set this: hold the namespace to version v1.25 or later, which asks it of Linux Pods only."
)
"""The remedy for a Windows Pod under a version before 1.25.

Such a version demands fields that only Linux has and that the API server refuses on a Windows Pod. No change of the
manifest helps.
"""

Rule: TypeAlias = Callable[[PssFacts], "CheckResult | None"]
RemedyRule: TypeAlias = Callable[[PssFacts, CheckResult], PssRemedy]
FieldViolation: TypeAlias = tuple[Path, Value, str]
"""The path and value of a bad field, and a sentence about it."""


class Revision(Struct, frozen=True):
    """A rule that holds from Kubernetes 1.`since` on; at restricted it replaces the baseline checks in `overrides`."""

    since: int
    rule: Rule
    overrides: tuple[str, ...] = ()


class Check(Struct, frozen=True):
    """A control of the standards. `revisions` are sorted by version; `remedy` takes a result of one of them."""

    id: str
    level: Level
    revisions: tuple[Revision, ...]
    remedy: RemedyRule

    def revision(self, minor: int) -> Revision | None:
        """The revision that holds in Kubernetes 1.`minor`; None if the check came later."""
        known = [revision for revision in self.revisions if revision.since <= minor]
        return known[-1] if known else None


def facts_of(pod: Pod) -> PssFacts:
    """The facts about this Pod, or about a workload's template in the form of a Pod."""
    spec = pod.spec
    containers: list[ContainerRef] = []
    for list_name, listed in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
        ("ephemeralContainers", spec.ephemeral_containers),
    ):
        if listed:
            containers += [
                ContainerRef(list_name, index, container, container.security_context or _NOTHING_SET)
                for index, container in enumerate(listed)
            ]
    return PssFacts(pod, spec, spec.security_context or _NOTHING_SET_ON_POD, tuple(containers))


def pod_context_path(*segments: str | int) -> Path:
    """The path of a field of the Pod's security context."""
    return Path(("spec", "securityContext", *segments))


def failed(check: str, reason: str, detail: str, violations: list[tuple[Path, Value, str]]) -> CheckResult:
    """The result of a check that the Pod fails because of these fields."""
    source = Source(Origin.POLICY, f"{POLICY} {check}")
    return CheckResult(
        check,
        reason,
        detail,
        Decision(violations=tuple(Violation(at, value, why, source) for at, value, why in violations)),
    )
