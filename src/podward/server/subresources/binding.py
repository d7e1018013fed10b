"""`binding`: a Pod gets its node.

Specification: Kubernetes, pkg/registry/core/pod/storage BindingREST. The object is the Pod's; what is answered is a
report.
"""

from __future__ import annotations

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.strategies import pods
from podward.schema.strategies.flow import with_metadata
from podward.server import registry
from podward.server.decoding import kind_of
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.scope import Scope
from podward.server.subresources.changing import changed
from podward.server.verbs.writing import admitted, managed_part

_BINDINGS = GroupResource("", "pods/binding")
SUCCESS: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
"""What is answered."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Bind the Pod of this name."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await kind_of(request, options.validation, "v1", "Binding")
    if isinstance(sent, Status):
        return sent
    binding = registry.placed(sent, request.info.namespace)
    if isinstance(binding, Status):
        return binding
    binding = managed_part(scope, request.manager(options.manager), binding, "v1", "Binding")
    binding = await admitted(scope, request, binding, options)
    if isinstance(binding, Status):
        return binding
    name = request.info.name or str(member(binding, "metadata").get("name") or "")
    if member(binding, "metadata").get("name") not in {name, None, ""}:
        return status.bad_request("name in URL does not match name in Binding object")
    refused = pods.refused_binding(binding)
    if refused.violations:
        texts = [f"{each.path}: {each.reason}" for each in refused.violations]
        return status.unexplained(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    of = member(binding, "metadata")

    def bound(pod: JsonObject) -> JsonObject | Status:
        wanted = {each: of[each] for each in ("uid", "resourceVersion") if of.get(each)}
        now = member(pod, "metadata")
        if any(now.get(each) != value for each, value in wanted.items()):
            return status.conflict(_BINDINGS, name, "Precondition failed")
        why = pods.conflict_of_binding(pod)
        if why:
            return status.conflict(_BINDINGS, name, why)
        return pods.bound(pod, with_metadata(binding, uid=None), scope.parts.clock.now())

    main = scope_of(scope.parts, scope.resource) if scope.resource.plural == "pods" else _of_pods(scope)
    found = await changed(main, request, name, bound, dry_run=options.dry_run)
    return found if isinstance(found, Status) else document_reply(request, 201, SUCCESS)


def _of_pods(scope: Scope) -> Scope:
    resource = scope.parts.catalog.find("", "v1", "pods")
    return scope if resource is None else scope_of(scope.parts, resource)
