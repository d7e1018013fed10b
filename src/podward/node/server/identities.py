"""Who the processes of a Pod's containers are: ours alone, no kubelet has this.

`GET /podward/identity/NAMESPACE/POD` answers with `api.identity.PodIdentity`: what was decided, predicted and observed,
and what has drifted. Through an API server it is below `/api/v1/nodes/NAME/proxy`, and takes `get` on `nodes/proxy`.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from podward.documents.raw_fields import member
from podward.node.server.host import Host
from podward.schema.validation.raw import text


async def of_pod(host: Host, request: web.Request) -> web.Response:
    """Tell of a Pod of this node."""
    pod = host.pod(request.match_info["namespace"], request.match_info["pod"])
    if pod is None:
        return web.Response(status=404, text="pod does not exist\n")
    found = host.identities(text(member(pod, "metadata"), "uid"))
    return web.Response(body=msgspec.json.encode(found), content_type="application/json")
