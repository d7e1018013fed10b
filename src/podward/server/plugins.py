"""The admission plugins of a server, asked in the order of `podward.stages.admission.order`."""

from __future__ import annotations

from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.request import Request


class NoPlugins:
    """A server without any."""

    async def mutate(self, asked: AdmissionRequest, request: Request) -> JsonObject | Status | None:
        """The object as it is."""
        del request
        return asked.object

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """No objection."""
        del asked, request
        return None
