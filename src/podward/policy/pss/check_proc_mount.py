"""procMount: /proc stays masked, unless the Pod has a user namespace.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: each container's procMount, where set, is Default
- since 1.35: not asked of a Pod with hostUsers false; at restricted, procMount_restricted takes this check's place
"""

from __future__ import annotations

from podward.policy.pss.check import Check, CheckResult, Facts, Revision
from podward.policy.pss.proc_mounts import cure, masked
from podward.policy.pss.standard import Level

ID = "procMount"


def _masked(facts: Facts) -> CheckResult | None:
    return masked(facts, ID)


def _masked_on_the_host(facts: Facts) -> CheckResult | None:
    return None if facts.in_user_namespace else masked(facts, ID)


CHECK = Check(ID, Level.BASELINE, (Revision(0, _masked), Revision(35, _masked_on_the_host)), cure)
