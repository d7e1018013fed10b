"""POST to `instantiate` of a DeploymentConfig: a rollout begins, if there is a reason, or if somebody insists.

What carries it out follows the number of the latest rollout; without the controller of DeploymentConfigs nobody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.gotext import quote
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.openshift import rollouts
from podward.schema.resources import BY_KIND
from podward.schema.validation.raw import text
from podward.server import decoding
from podward.server.encoding import decoded
from podward.server.options import WriteOptions, write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.verbs import update
from podward.server.verbs.writing import managed, mutated

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_VERSION, _KIND = "apps.openshift.io/v1", "DeploymentRequest"
_NOT_NOW = Status(0, "", "")
"""There is no reason to roll out."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Begin a rollout."""
    asked = await asked_of(request, _KIND)
    if isinstance(asked, Status):
        return asked
    sent, options = asked
    name = request.info.name
    manager = request.manager(options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(scope.group_resource, name)
        begun = await _begun(scope, request, sent, old)
        if isinstance(begun, Status):
            return begun
        return await mutated(scope, request, managed(scope, manager, old, begun), old, options)

    written = await update.write(scope, request, transform, options)
    if written is _NOT_NOW:
        message = f"deployment config {quote(name)} cannot be instantiated"
        nothing: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "message": message, "code": 204}
        return document_reply(request, 201, nothing)
    return written if isinstance(written, Status) else document_reply(request, 201, written.object)


async def asked_of(request: Request, kind: str) -> tuple[JsonObject, WriteOptions] | Status:
    """What is asked of the config in the path, which it must name if it names one; and how."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.kind_of(request, options.validation, _VERSION, kind)
    if isinstance(sent, Status):
        return sent
    name, own = request.info.name, text(sent, "name")
    if own and own != name:
        return status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({name})")
    return sent, options


async def _begun(scope: Scope, request: Request, sent: JsonObject, config: JsonObject) -> JsonObject | Status:
    """The config whose next rollout begins, or why it does not."""
    refused = rollouts.refused_request(sent, config)
    if refused.violations:
        return status.invalid(_KIND, scope.resource.group, text(sent, "name"), refused)
    before = await _latest(scope, request, config)
    if isinstance(before, Status):
        return before
    causes = rollouts.causes_of(config, before, force=sent.get("force") is True)
    if isinstance(causes, Status):
        return causes
    return rollouts.begun(config, causes) if causes else _NOT_NOW


async def _latest(scope: Scope, request: Request, config: JsonObject) -> JsonObject | Status:
    """The config of the latest rollout; before the first one it is the config itself."""
    version = rollouts.latest_of(config)
    if not version:
        return config
    found = await controller_of(scope, request, rollouts.name_of(text(member(config, "metadata"), "name"), version))
    if isinstance(found, Status):
        return found
    return rollouts.encoded_in(found) or status.internal_error("the latest deployment has no deployment config in it")


async def controller_of(scope: Scope, request: Request, name: str) -> JsonObject | Status:
    """The ReplicationController of a rollout."""
    controllers = scope_of(scope.parts, BY_KIND["v1", "ReplicationController"])
    stored = await scope.parts.store.get(controllers.key(request.info.namespace, name))
    return status.not_found(controllers.group_resource, name) if stored is None else decoded(stored)
