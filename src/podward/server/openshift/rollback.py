"""POST to `rollback` of a DeploymentConfig: the config as it would be. Nothing is stored: the client does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.gotext import quote
from podward.api.status import Status
from podward.decision import Decision
from podward.schema.openshift import rollouts
from podward.schema.validation.raw import text
from podward.server import decoding
from podward.server.encoding import decoded
from podward.server.openshift.instantiate import controller_of
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_VERSION, _KIND = "apps.openshift.io/v1", "DeploymentConfigRollback"


async def handle(scope: Scope, request: Request) -> Answer:
    """What the config would be if it went back."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.kind_of(request, options.validation, _VERSION, _KIND)
    if isinstance(sent, Status):
        return sent
    name, own = request.info.name, text(sent, "name")
    if own and own != name:
        return status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({name})")
    found = await _rolled_back(scope, request, sent)
    if isinstance(found, Decision):
        return status.invalid(_KIND, scope.resource.group, own, found)
    return document_reply(request, 201, found)


async def _rolled_back(scope: Scope, request: Request, sent: JsonObject) -> JsonObject | Decision:
    refused = rollouts.refused_rollback(sent)
    if refused.violations:
        return refused
    name = request.info.name
    stored = await scope.parts.store.get(scope.key(request.info.namespace, name))
    if stored is None:
        missing = f"{scope.group_resource} {quote(name)} not found"
        return rollouts.refusal_of(sent, f"cannot get deployment config {quote(name)}: {missing}")
    config = decoded(stored)
    revision = rollouts.revision_of(sent, config)
    if isinstance(revision, str):
        return rollouts.refusal_of(sent, revision)
    controller = await controller_of(scope, request, rollouts.name_of(name, revision))
    if isinstance(controller, Status):
        return rollouts.refusal_of(sent, controller.message)
    to = rollouts.encoded_in(controller)
    if to is None:
        return rollouts.refusal_of(sent, "couldn't decode deployment config from deployment")
    return rollouts.rolled_back(config, to, sent)
