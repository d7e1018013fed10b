"""What a controller is given: the objects that it follows, and a client of its own service account.

Specification: Kubernetes, cmd/kube-controller-manager with --use-service-account-credentials: every controller calls as
a service account of kube-system, which is made if it is not there, with a token that is renewed before it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Informers
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

_ACCOUNTS, _NAMESPACES = BY_PLURAL["", "v1", "serviceaccounts"], BY_PLURAL["", "v1", "namespaces"]
_NAMESPACE = "kube-system"
_LIFE, _RENEWED, _AGAIN = 3600, 0.75, 1.0
_NOT_FOUND, _CONFLICT = 404, 409

_log = logging.getLogger("podward.controllers")


class Controller(Protocol):
    """What works until it is closed. It may listen to informers only in `start`, or in `make` of its module."""

    async def start(self) -> None:
        """Begin to work; all informers that `make` asked for have synced."""

    async def close(self) -> None:
        """Work no more."""


class ControllerOptions(Struct, frozen=True):
    """What controllers are told by flags of kube-controller-manager's names; durations in seconds."""

    cluster_cidr: str = ""
    node_cidr_mask_size: int = 24
    service_range: str = "10.0.0.0/24"
    node_monitor_grace_period: float = 50.0
    terminated_pod_gc_threshold: int = 12500
    volume_directory: str = ""
    """Where the volumes of the default StorageClass are; empty: there is no such class."""
    openshift: bool = False
    scheduler_kubeconfig: str = ""
    """As whom the scheduler calls; empty: as the controllers' own caller."""


class Context:
    """What all controllers share."""

    def __init__(self, admin: Client, informers: Informers, options: ControllerOptions) -> None:
        """`admin` is who may make service accounts and their tokens, and who lists and watches for all."""
        self.admin = admin
        self.informers = informers
        self.options = options
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: dict[str, Client] = {}
        self._recorders: list[Recorder] = []

    async def client_for(self, account: str, namespace: str = _NAMESPACE) -> Client:
        """A client that calls as `system:serviceaccount:NAMESPACE:ACCOUNT`."""
        key = f"{namespace}/{account}"
        if key not in self._clients:
            token, life = await self._token(account, namespace)
            client = Client(self.admin.connection.as_bearer(token), f"kube-controller-manager/{account}")
            self._clients[key] = client
            self._tasks.append(asyncio.create_task(self._renew(client, account, namespace, life)))
        return self._clients[key]

    def recorder(self, client: Client, component: str) -> Recorder:
        """Who tells events as this component, with this client."""
        made = Recorder(client, component)
        self._recorders.append(made)
        return made

    async def close(self) -> None:
        """End what is made here."""
        for recorder in self._recorders:
            await recorder.close()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for client in self._clients.values():
            await client.close()

    async def _renew(self, client: Client, account: str, namespace: str, life: float) -> None:
        while True:
            await asyncio.sleep(life * _RENEWED)
            token, life = await self._token(account, namespace)
            client.reconnect(self.admin.connection.as_bearer(token))

    async def _token(self, account: str, namespace: str) -> tuple[str, float]:
        """A token, and for how many seconds it is good; asked for until there is one."""
        request: JsonObject = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _LIFE},
        }
        told = ""
        while True:
            made = await self.admin.create(_ACCOUNTS, namespace, request, "token", account)
            if not isinstance(made, Status):
                token = member(made, "status").get("token")
                if isinstance(token, str) and token:
                    return token, _LIFE
            elif made.code == _NOT_FOUND:
                await self._account(account, namespace)
                continue
            elif made.message != told:
                told = made.message
                _log.warning("no token for %s: %s", account, told)
            await asyncio.sleep(_AGAIN)

    async def _account(self, account: str, namespace: str) -> None:
        made = await self.admin.create(
            _ACCOUNTS,
            namespace,
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": namespace},
            },
        )
        if isinstance(made, Status) and made.code == _NOT_FOUND:
            document: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            made = await self.admin.create(_NAMESPACES, "", document)
        if isinstance(made, Status) and made.code != _CONFLICT:
            _log.warning("the service account %s cannot be made: %s", account, made.message)
            await asyncio.sleep(_AGAIN)
