"""hostPathVolumes: no volume may be a path of the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: no volume has a hostPath; at restricted, restrictedVolumes replaces this check
"""

from __future__ import annotations

from podward.path import path
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import plural, quoted_list

ID = "hostPathVolumes"


def _volumes(facts: PssFacts) -> CheckResult | None:
    volumes = facts.spec.volumes
    if not volumes:
        return None
    bad = [(index, volume, volume.host_path) for index, volume in enumerate(volumes) if volume.host_path is not None]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (path("spec", "volumes", index, "hostPath"), source.path, f'Volume "{volume.name}" is a path of the node.')
        for index, volume, source in bad
    ]
    detail = f"{plural('volume', 'volumes', bad)} {quoted_list(volume.name for _, volume, _ in bad)}"
    return failed(ID, "hostPath volumes", detail, violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts, result
    return PssRemedy(
        "Use another kind of volume: a configMap or secret for settings, an emptyDir for scratch space, "
        "a persistentVolumeClaim for data."
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _volumes),), _remedy)
