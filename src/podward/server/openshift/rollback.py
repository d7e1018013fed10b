"""POST to `rollback` of a DeploymentConfig: the config as it would be. Nothing is stored: the client does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.gotext import quote
from podward.api.status import Status
from podward.decision import Decision
from podward.schema.openshift import rollouts
from podward.schema.validation.raw import text
from podward.server.encoding import decoded
from podward.server.openshift.instantiate import asked_of, controller_of
from podward.server.replies import document_reply
from podward.server.request import Answer, Request

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_KIND = "DeploymentConfigRollback"


async def handle(scope: Scope, request: Request) -> Answer:
    """What the config would be if it went back."""
    asked = await asked_of(request, _KIND)
    if isinstance(asked, Status):
        return asked
    sent, _ = asked
    found = await _rolled_back(scope, request, sent)
    if isinstance(found, Decision):
        return status.invalid(_KIND, scope.resource.group, text(sent, "name"), found)
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
