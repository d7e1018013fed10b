"""procMount_restricted: /proc stays masked, even in a user namespace.

Specification (k8s.io/pod-security-admission, in our words), level restricted, overrides procMount:

- since 1.35: each container's procMount, where set, is Default
"""

from __future__ import annotations

from podward.policy.pss.check import Check, CheckResult, Facts, Revision
from podward.policy.pss.proc_mounts import cure, masked
from podward.policy.pss.standard import Level

ID = "procMount_restricted"


def _masked(facts: Facts) -> CheckResult | None:
    return masked(facts, ID)


CHECK = Check(ID, Level.RESTRICTED, (Revision(35, _masked, ("procMount",)),), cure)
