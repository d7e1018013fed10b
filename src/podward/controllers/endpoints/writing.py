"""Writing EndpointSlices, and knowing those that were written before the watch tells of them."""

from __future__ import annotations

from collections.abc import Callable

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, Informer, key_of
from podward.controllers.endpoints.slice_documents import SERVICE_NAME, SLICES, is_managed
from podward.controllers.endpoints.slices import Plan
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

_NOT_FOUND = 404
_ENDING = "NamespaceTerminating"


class Slices:
    """The EndpointSlices that one controller manages."""

    def __init__(self, client: Client, informer: Informer, manager: str, again: Callable[[str], None]) -> None:
        """`again` is told the keys of the Services whose slices somebody else has changed."""
        self._client = client
        self._manager = manager
        self._again = again
        self._written = Written(informer, self._changed)

    def of(self, namespace: str, name: str) -> list[JsonObject]:
        """Those of a Service, without those that are being deleted."""
        return [
            each
            for each in self._written.items(namespace)
            if is_managed(each, self._manager)
            and _service(each) == name
            and member(each, "metadata").get("deletionTimestamp") is None
        ]

    def _changed(self, change: Change) -> None:
        states = [each for each in (change.old, change.new) if each is not None]
        if not any(is_managed(each, self._manager) for each in states):
            return
        namespace, _ = key_of(change.object)
        for name in {_service(each) for each in states}:
            if name:
                self._again(f"{namespace}/{name}")

    async def carry_out(self, plan: Plan, kind: str, key: str) -> str:
        """Do what is planned for an object of this kind; what failed, in the controller's words."""
        namespace, _, _ = key.partition("/")
        for each in plan.created:
            answer = await self._client.create(SLICES, namespace, each)
            if isinstance(answer, Status):
                if is_ending_namespace(answer):
                    return ""
                return f"failed to create EndpointSlice for {kind} {key}: {answer.message}"
            self._written.put(answer)
        for each in plan.updated:
            answer = await self._client.replace(SLICES, namespace, each)
            if isinstance(answer, Status):
                return f"failed to update {_name(each)} EndpointSlice for {kind} {key}: {answer.message}"
            self._written.put(answer)
        for each in plan.deleted:
            answer = await self._client.delete(SLICES, namespace, _name(each))
            if isinstance(answer, Status) and answer.code != _NOT_FOUND:
                return f"failed to delete {_name(each)} EndpointSlice for {kind} {key}: {answer.message}"
            self._written.gone(each)
        return ""


def is_ending_namespace(answer: Status) -> bool:
    """Whether something was refused as its namespace ends."""
    causes = answer.details.causes if answer.details is not None else ()
    return any(cause.reason == _ENDING for cause in causes)


def _service(each: JsonObject) -> str:
    return text(member(member(each, "metadata"), "labels"), SERVICE_NAME)


def _name(each: JsonObject) -> str:
    return text(member(each, "metadata"), "name")
