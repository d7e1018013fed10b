"""no_new_privs: only an explicit `allowPrivilegeEscalation: false` sets it.

Specification (kubelet, `AddNoNewPrivileges`, in our words): unset or true leaves it off; privileged and
CAP_SYS_ADMIN play no part, because validation refuses them together with false.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign
from podward.path import path

PLACE = path("noNewPrivs")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} allowPrivilegeEscalation")


def decide(merged: SecurityContext, merge: Decision) -> Decision:
    """noNewPrivs, with the field that asked for it."""
    if merged.allow_privilege_escalation is False:
        found = merge.assignment(path("securityContext", "allowPrivilegeEscalation"))
        return assign(PLACE, True, "allowPrivilegeEscalation is false", found.source if found else RULE)
    return assign(PLACE, False, "allowPrivilegeEscalation is not false", RULE)
