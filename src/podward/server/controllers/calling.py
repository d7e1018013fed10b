"""A controller's way to the server that it runs in: the same filters as for everybody, but for authentication.

Nobody else can come this way: it begins in the process itself, and the caller is one of its own users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from podward.api.caller import AUTHENTICATED, MASTERS, User, service_account
from podward.api.status import Status
from podward.server.request import Request
from podward.server.request_info import request_info

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.request import Handler

_FAILED = 500
_COMPONENT, _SERVER = "kube-controller-manager", "kube-apiserver"
SERVER = User("system:apiserver", (MASTERS, AUTHENTICATED))
"""The server as a user of its own, as kube-apiserver's loopback client is one."""


class Caller:
    """A controller's service account, as it calls the server."""

    def __init__(self, handle: Handler, account: str, user: User | None = None) -> None:
        """`handle` serves requests whose caller is known: the account, or a `user` as whom the controller acts."""
        self._handle = handle
        plain = service_account("kube-system", account)
        self._user = user or User(plain.username, (*plain.groups, AUTHENTICATED))
        self._agent = f"{_COMPONENT if user is not SERVER else _SERVER}/{account}"

    async def ask(self, method: str, path: str, document: JsonObject | None = None) -> int:
        """The code of the answer."""
        body = b"" if document is None else msgspec.json.encode(document)

        async def read() -> bytes | Status:
            return body

        headers = {"User-Agent": self._agent, "Content-Type": "application/json", "Accept": "application/json"}
        info = request_info(method, path, {})
        answer = await self._handle(Request(method, path, {}, headers, info, read, user=self._user, target=path))
        return getattr(answer, "code", _FAILED)
