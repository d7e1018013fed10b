"""allowPrivilegeEscalation: false contradicts what needs it.

Specification: Kubernetes, ValidateSecurityContext: refused together with privileged, and with each literal
`CAP_SYS_ADMIN` that is added (`SYS_ADMIN` is another word). The path is the security context itself.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import invalid_object
from podward.schema.validation.internal import security_context_text


def check(context: SecurityContext, at: Path) -> Decision:
    """A container's security context."""
    if context.allow_privilege_escalation is not False:
        return Decision()
    conflicts = ["`privileged` to true"] if context.privileged else []
    added = context.capabilities.add if context.capabilities else None
    conflicts += ["`capabilities.Add` CAP_SYS_ADMIN" for name in added or () if name == "CAP_SYS_ADMIN"]
    if not conflicts:
        return Decision()
    text = security_context_text(context)
    sentence = "cannot set `allowPrivilegeEscalation` to false and"
    return merge(*(invalid_object(at, context, text, f"{sentence} {conflict}") for conflict in conflicts))
