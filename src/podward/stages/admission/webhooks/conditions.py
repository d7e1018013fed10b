"""The conditions under which a webhook is asked about a request that its rules and selectors choose.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/webhook/matchconditions. One that is false says so,
whatever becomes of the others; where none is false and one cannot be evaluated, the failure policy decides.
"""

from __future__ import annotations

from podward.api import status
from podward.api.status import Status
from podward.schema.cel.authorizing import Ask
from podward.schema.cel.environment import Failed
from podward.stages.admission.policies.validating import Facts, matching
from podward.stages.admission.webhooks.matching import Invocation


def hold(of: Invocation, ask: Ask | None) -> bool | Status:
    """Whether the webhook is asked, or why the request is refused without."""
    hook, asked = of.hook, of.asked
    variables = Facts(asked, of.served, None).variables()
    found = matching(hook.conditions, variables, ask)
    if not isinstance(found, Failed):
        return found
    return False if hook.ignores_failures else status.forbidden(asked.resource, asked.name, found.reason)
