"""Inline CSI volumes on OpenShift: the driver's label is held against the namespace's Pod Security levels.

Specification: OpenShift, openshift-kube-apiserver/admission/storage/csiinlinevolumesecurity. The label
`security.openshift.io/csi-ephemeral-volume-profile` of a CSIDriver is the least strict level under which its inline
volumes may be used; a driver without it, or one that is not there, counts as privileged. A namespace that says nothing
counts as restricted, in every mode. A namespace that is privileged in every mode is not asked. The first volume whose
driver asks for more than the namespace enforces refuses the Pod; before that each mode `warn` tells its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.gotext import quote
from podward.decision import Origin, Source, Violation
from podward.path import path
from podward.policy.pss.labels import Policy, policy_of
from podward.policy.pss.standard import LEVEL_RULE, STRICTNESS, Level, Standard, parse_level

PROFILE = "security.openshift.io/csi-ephemeral-volume-profile"
SOURCE = Source(Origin.POLICY, "CSIInlineVolumeSecurity")
_RESTRICTED = Standard(Level.RESTRICTED)
_DEFAULT = Policy(_RESTRICTED, _RESTRICTED, _RESTRICTED)


class InlineVolumes(Struct, frozen=True):
    """What is said about a Pod's inline volumes: the refusal, without the object's name before it, and warnings."""

    refusal: Violation | None = None
    warnings: tuple[str, ...] = ()


class Volumes(Struct, frozen=True):
    """A Pod's name, its namespace, and the driver of each of its inline volumes, by the volume's index."""

    pod: str
    namespace: str
    drivers: Mapping[int, str]


def decide(asked: Volumes, labels: Mapping[str, str | None] | None, profiles: Mapping[str, str]) -> InlineVolumes:
    """Whether a namespace with these labels may use the drivers; `profiles` are theirs, by the driver's name."""
    namespace, found = asked.namespace, policy_of(labels, _DEFAULT)
    at = path("spec", "volumes")
    if found.errors:
        errors = ", ".join(violation.reason for violation in found.errors)
        why = f"invalid policy found on namespace {namespace}: [{errors}]"
        return InlineVolumes(Violation(at, None, why, SOURCE))
    policy = found.policy
    if policy.fully_privileged:
        return InlineVolumes()
    warnings: list[str] = []
    for index, driver in asked.drivers.items():
        profile = profiles.get(driver)
        level = Level.PRIVILEGED if profile is None else parse_level(profile)
        if level is None:
            why = f"invalid label {PROFILE} for CSIDriver {driver}: {LEVEL_RULE}"
            return InlineVolumes(Violation(at / index, profile, why, SOURCE), tuple(warnings))
        if STRICTNESS[policy.enforce.level] > STRICTNESS[level]:
            said = _sentence(asked.pod, driver, namespace, "enforce", level)
            return InlineVolumes(Violation(at / index, driver, said, SOURCE), tuple(warnings))
        if STRICTNESS[policy.warn.level] > STRICTNESS[level]:
            warnings.append(_sentence(asked.pod, driver, namespace, "warn", level))
    return InlineVolumes(warnings=tuple(warnings))


def remedy(driver: str, namespace: str) -> str:
    """What to do about a driver that is refused."""
    label = quote(PROFILE)
    return f"label CSIDriver {driver} with {label} if its volumes are safe, or use another namespace than {namespace}"


def _sentence(name: str, driver: str, namespace: str, mode: str, level: Level) -> str:
    return (
        f"{name} uses an inline volume provided by CSIDriver {driver} and namespace {namespace}"
        f" has a pod security {mode} level that is lower than {level}"
    )
