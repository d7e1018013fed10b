"""A server of OpenShift: its parts beside those of every server, strung together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.policy.pss.labels import OPENSHIFTS
from podward.policy.scc.allocation import Ranges
from podward.schema.openshift.resources import DESCRIBED, RESOURCES
from podward.server.openshift import access_reviews, first_objects
from podward.server.openshift.admission import OpenShiftPlugins
from podward.server.openshift.namespace_ranges import NamespaceRanges
from podward.stages.admission.configuration import NOT_CONFIGURED, Configured

if TYPE_CHECKING:
    from podward.server.cache import Caches
    from podward.server.openshift.answers import Authorize
    from podward.server.request import Answer, Handler, Request
    from podward.server.scope import Parts

_PROJECTS = "project.openshift.io"


class OpenShift:
    """What a server has more because it is OpenShift's."""

    resources = RESOURCES
    """What is served beside Kubernetes' own."""

    def __init__(self, ranges: Ranges, caches: Caches, authorize: Authorize, configured: Configured) -> None:
        standards = configured.pod_security
        if standards is NOT_CONFIGURED.pod_security:
            standards = OPENSHIFTS
        self.plugins = OpenShiftPlugins(caches, authorize, configured.disabled, standards)
        self._ranges = ranges
        self._giver: NamespaceRanges | None = None

    async def start_before(self, parts: Parts) -> None:
        """What has to be there before roles and definitions are followed."""
        parts.catalog.described = DESCRIBED
        await first_objects.make_before(parts)

    async def start_after(self, parts: Parts) -> None:
        """What needs the definitions to be served. Raises UsageError for ranges that others have begun to give."""
        await first_objects.make_after(parts)
        self._giver = self.plugins.ranges = NamespaceRanges(parts, self._ranges)
        await self._giver.start()

    asked_of = staticmethod(access_reviews.asked_of)
    """What authorizers are asked about a request."""

    @staticmethod
    def handling(serve: Handler) -> Handler:
        """The handler, of requests in which a project is a namespace: whoever may get that may get this."""

        async def handle(request: Request) -> Answer:
            info = request.info
            if info.resource == "projects" and info.group == _PROJECTS and info.name and not info.namespace:
                request.info = structs.replace(info, namespace=info.name)
            return await serve(request)

        return handle

    async def close(self) -> None:
        """End what goes on by itself."""
        if self._giver is not None:
            await self._giver.close()
