"""hostPathVolumes: no volume may be a path of the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: no volume has a hostPath; at restricted, restrictedVolumes takes this check's place
"""

from __future__ import annotations

from podward.decision import Value
from podward.path import Path, path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import joined, plural

ID = "hostPathVolumes"


def _volumes(facts: Facts) -> CheckResult | None:
    volumes = facts.spec.volumes
    if not volumes:
        return None
    bad = [(index, volume, volume.host_path) for index, volume in enumerate(volumes) if volume.host_path is not None]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (path("spec", "volumes", index, "hostPath"), source.path, f'Volume "{volume.name}" is a path of the node.')
        for index, volume, source in bad
    ]
    detail = f"{plural('volume', 'volumes', bad)} {joined(volume.name for _, volume, _ in bad)}"
    return found(ID, "hostPath volumes", detail, faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts, result
    return PssRemedy(
        "Use another kind of volume: a configMap or secret for settings, an emptyDir for scratch space, "
        "a persistentVolumeClaim for data."
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _volumes),), _cure)
