"""What fields of a security context have to do with each other and with their Pod; what each may be is in `table`.

Specification: Kubernetes, ValidateSecurityContext, ValidateProcMount, validatePodSpecSecurityContext. `Unmasked` wants
a user namespace. `allowPrivilegeEscalation: false` is refused together with privileged, and with each literal
`CAP_SYS_ADMIN` that is added (`SYS_ADMIN` is another word); the path is the security context itself.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, invalid_object, unsupported
from podward.schema.validation.internal import security_context_text
from podward.schema.validation.raw import text, texts
from podward.schema.validation.walk import Scope
from podward.schema.view import typed_view


def privileged(context: JsonObject, scope: Scope, at: Place) -> Decision:
    """A privileged container where the server allows none."""
    if not context.get("privileged") or scope.allow_privileged:
        return NOTHING
    return forbidden(at / "privileged", "disallowed by cluster policy")


def proc_mount(context: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `procMount`."""
    written, place = text(context, "procMount"), at / "procMount"
    if written == "Default":
        return NOTHING
    if written != "Unmasked":
        return unsupported(place, written, ("Default", "Unmasked"))
    shared = scope.spec.get("hostUsers") is not False
    return invalid(place, written, "`hostUsers` must be false to use `Unmasked`") if shared else NOTHING


def escalation(context: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What contradicts a container's `allowPrivilegeEscalation`."""
    if context.get("allowPrivilegeEscalation") is not False:
        return NOTHING
    conflicts = ["`privileged` to true"] if context.get("privileged") else []
    capabilities = context.get("capabilities")
    added = texts(capabilities, "add") if isinstance(capabilities, dict) and capabilities.get("add") else ()
    conflicts += ["`capabilities.Add` CAP_SYS_ADMIN" for name in added if name == "CAP_SYS_ADMIN"]
    if not conflicts:
        return NOTHING
    view = typed_view(context, SecurityContext, "SecurityContext")
    printed, sentence = security_context_text(view), "cannot set `allowPrivilegeEscalation` to false and"
    return merge(*(invalid_object(at, view, printed, f"{sentence} {conflict}") for conflict in conflicts))


def shared_processes(context: JsonObject, scope: Scope, at: Place) -> Decision:
    """A Pod's containers see each other's processes, or the node's."""
    del context
    if not (scope.spec.get("shareProcessNamespace") and scope.spec.get("hostPID")):
        return NOTHING
    return invalid(at / "shareProcessNamespace", True, "ShareProcessNamespace and HostPID cannot both be enabled")
