"""Requests of projects: a namespace, whose admin is whoever has asked.

Specification: openshift/openshift-apiserver, pkg/project/apiserver/registry/projectrequest/delegated, with its default
template. A list is a question: may the caller request one? If the binding cannot be made, the namespace goes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import service_account
from podward.api.status import Status, StatusDetails
from podward.documents.raw_fields import member
from podward.schema.openshift.projects import (
    GROUP,
    admin_of,
    namespace_of,
    namespace_of_request,
    project_of,
    refused_new,
    why_reserved,
)
from podward.schema.resources import BY_KIND
from podward.server import decoding, registry
from podward.server.deletion import DeleteOptions
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.request_info import RequestInfo
from podward.server.routes import scope_of
from podward.server.verbs.delete import delete
from podward.server.verbs.writing import admission_request, managed, mutated

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.options import WriteOptions
    from podward.server.scope import Scope

_PROJECT, _REQUEST = GroupResource(GROUP, "project"), GroupResource(GROUP, "projectrequest")
_REFUSED = "You may not request a new project via this API."
_MANAGER = "openshift-apiserver"
_OWN = service_account("openshift-apiserver", "openshift-apiserver-sa")
"""As whom the server makes what the caller may not make himself."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Make a project for the caller, or say whether he may ask for one."""
    if request.info.verb == "list":
        return await _may_ask(scope, request)
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    name = str(member(sent, "metadata").get("name") or "")
    refused = refused_new(sent)
    if refused.violations:
        return status.invalid(scope.resource.kind, GROUP, name, refused)
    if reserved := why_reserved(name):
        return status.forbidden(_PROJECT, name, reserved)
    namespaces = scope_of(scope.parts, BY_KIND["v1", "Namespace"])
    if await scope.parts.store.get(namespaces.key("", name)) is not None:
        return status.already_exists(_PROJECT, name)
    made = await _created(namespaces, request, namespace_of_request(sent, request.user.username), options)
    if isinstance(made, Status):
        return made
    if not options.dry_run:
        bindings = scope_of(scope.parts, BY_KIND["rbac.authorization.k8s.io/v1", "RoleBinding"])
        bound = await _created(bindings, request, admin_of(name, request.user.username), options)
        if isinstance(bound, Status):
            await delete(namespaces, request, "", name, DeleteOptions())
            return status.internal_error(bound.message)
        await bindings.cache.fresh()
    return document_reply(request, 201, project_of(made))


async def create(scope: Scope, request: Request) -> Answer:
    """Make a project for whoever may make any, as `oc adm new-project` does: a namespace, and nobody's."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    refused = refused_new(sent)
    if refused.violations:
        return status.invalid(scope.resource.kind, GROUP, str(member(sent, "metadata").get("name") or ""), refused)
    namespaces = scope_of(scope.parts, BY_KIND["v1", "Namespace"])
    made = await _created(namespaces, request, namespace_of(sent), options)
    return made if isinstance(made, Status) else document_reply(request, 201, project_of(made))


async def _may_ask(scope: Scope, request: Request) -> Answer:
    answer = await scope.parts.authorizer.authorize(Attributes(request.user, "create", GROUP, "projectrequests"))
    if answer.opinion is Opinion.ALLOW:
        success: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return document_reply(request, 200, success)
    return Status(403, "Forbidden", _REFUSED, StatusDetails("", GROUP, _REQUEST.resource))


async def _created(scope: Scope, request: Request, obj: JsonObject, options: WriteOptions) -> JsonObject | Status:
    """Store a new object, through its own admission."""
    namespace = str(member(obj, "metadata").get("namespace") or "")
    info = RequestInfo(request.path, "create", True, namespace=namespace, resource=scope.resource.plural)
    own = Request("POST", request.path, {}, request.headers, info, _nothing, user=_OWN)
    new = managed(scope, _MANAGER, None, decoding.completed(obj, scope))
    admitted = await mutated(scope, own, new, None, options)
    if isinstance(admitted, Status):
        return admitted

    async def check(made: JsonObject, old: JsonObject | None) -> Status | None:
        # Nobody is asked whether he may bind: whoever may request a project becomes its admin.
        asked, admission = admission_request(scope, own, made, old, options), scope.parts.admission
        refused = await admission.validate(asked, own)
        return refused if refused is not None else await admission.charge(asked, scope.parts)

    written = await registry.create(scope, own, admitted, check, dry_run=options.dry_run)
    return written if isinstance(written, Status) else written.object


async def _nothing() -> bytes | Status:
    return b""
