"""OwnerReferencesPermissionEnforcement: who names an owner may delete what it owns, and hold the owner back.

Specification: Kubernetes, plugin/pkg/admission/gc. A Pod's status is not looked at: it cannot change owners.
"""

from __future__ import annotations

from podward.api.admission import PODS
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.status import Status, forbidden
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text
from podward.server.request import Request
from podward.server.scope import Scope

NAME = "OwnerReferencesPermissionEnforcement"
_UNDELETABLE = "cannot set an ownerRef on a resource you can't delete: "
_UNFINALIZABLE = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: "


async def refused(scope: Scope, request: Request, new: JsonObject, old: JsonObject | None) -> Status | None:
    """Why these owners may not be named."""
    if NAME in scope.parts.admission.disabled or (scope.group_resource == PODS and scope.subresource == "status"):
        return None
    owners, before = _owners(new), _owners(old or {})
    if owners == before:
        return None
    authorize, info = scope.parts.authorizer.authorize, request.info
    name = info.name or text(member(new, "metadata"), "name") or "Unknown"
    if old is not None:
        wanted = Attributes(
            request.user, "delete", info.group, info.resource, info.subresource, info.name, info.namespace,
            version=info.version,
        )  # fmt: skip
        answer = await authorize(wanted)
        if answer.opinion is not Opinion.ALLOW:
            return forbidden(scope.group_resource, name, _UNDELETABLE + _why(answer))
    blocking = _blocking(owners, before)
    if not blocking:
        return None
    anything = Attributes(request.user, "update", "*", "*", "finalizers", "*", version="*")
    if (await authorize(anything)).opinion is Opinion.ALLOW:
        return None
    for owner in blocking:
        fault = await _not_held_back(scope, request, owner)
        if fault:
            return forbidden(scope.group_resource, name, fault)
    return None


async def _not_held_back(scope: Scope, request: Request, owner: JsonObject) -> str:
    """Why the caller may not hold this owner back."""
    version, kind = text(owner, "apiVersion"), text(owner, "kind")
    found = [each for each in scope.parts.catalog.all() if each.api_version == version and each.kind == kind]
    if not found:
        unknown = f"no matches for kind {quote(kind)} in version {quote(version)}"
        what = f"cannot find RESTMapping for APIVersion {version} Kind {kind}: {unknown}"
        return f"cannot set blockOwnerDeletion in this case because {what}"
    for resource in found:
        namespace = request.info.namespace if resource.namespaced else ""
        wanted = Attributes(
            request.user, "update", resource.group, resource.plural, "finalizers", text(owner, "name"), namespace,
            version=resource.version,
        )  # fmt: skip
        answer = await scope.parts.authorizer.authorize(wanted)
        if answer.opinion is not Opinion.ALLOW:
            return _UNFINALIZABLE + _why(answer)
    return ""


def _owners(obj: JsonObject) -> list[JsonObject]:
    return objects(member(obj, "metadata"), "ownerReferences")


def _blocking(owners: list[JsonObject], before: list[JsonObject]) -> list[JsonObject]:
    """The owners that are held back and were not."""
    held = {text(owner, "uid") for owner in before if owner.get("blockOwnerDeletion") is True}
    return [each for each in owners if each.get("blockOwnerDeletion") is True and text(each, "uid") not in held]


def _why(answer: Answer) -> str:
    return f"{answer.reason}, {answer.error or '<nil>'}"
