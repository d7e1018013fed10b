"""What `podward explain access` goes by: roles, bindings, Pods and policies, from files or from a running server."""

from __future__ import annotations

import argparse
import contextlib
import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from podward.access.abac import Abac
from podward.access.always import AlwaysAllow, AlwaysDeny
from podward.access.authorizer_entries import ABAC, NODE, RBAC
from podward.access.default_roles.objects import default_objects
from podward.access.node.authorizer import NodeAuthorizer
from podward.access.node.graph import ATTACHMENTS, FOLLOWED, PODS, SLICES, VOLUMES, Graph
from podward.access.objects import KINDS, RoleObject
from podward.access.rbac import Rbac
from podward.access.reading import read, stored
from podward.access.review_spec import spec_of
from podward.cli import inputs
from podward.documents.raw_fields import member, objects
from podward.errors import InputError, NodeError, UsageError
from podward.schema.objects import DEFAULT_NAMESPACE, objects_of
from podward.schema.strict import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.access.objects import BindingObject
    from podward.api.authorization import Attributes, Authorizer
    from podward.api.json_value import JsonObject
    from podward.client.connection import Connection
    from podward.schema.objects import Item

_ADVICE = "name a file with Roles, ClusterRoles and their bindings"
_PLURALS = {"Pod": PODS, "PersistentVolume": VOLUMES, "VolumeAttachment": ATTACHMENTS, "ResourceSlice": SLICES}
_RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"
_LISTED = {
    PODS: "/api/v1/pods",
    VOLUMES: "/api/v1/persistentvolumes",
    ATTACHMENTS: "/apis/storage.k8s.io/v1/volumeattachments",
    SLICES: "/apis/resource.k8s.io/v1/resourceslices",
}
_TIMEOUT = 30.0
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Facts(Struct):
    """The roles and bindings, what nodes need, ABAC's policies, and what else is to be told."""

    rbac: Rbac
    graph: Graph
    policies: Abac | None
    notes: tuple[str, ...] = ()

    def authorizer(self, mode: str) -> Authorizer:
        """The authorizer of this mode. Raises UsageError for ABAC without its policies."""
        if mode == ABAC:
            if self.policies is None:
                raise UsageError(
                    "ABAC has no policies", where="--authorization-mode", advice="--authorization-policy-file FILE"
                )
            return self.policies
        known: dict[str, Authorizer] = {RBAC: self.rbac, "AlwaysAllow": AlwaysAllow(), "AlwaysDeny": AlwaysDeny()}
        return NodeAuthorizer(self.graph) if mode == NODE else known[mode]


def gathered(args: argparse.Namespace, wanted: Attributes) -> Facts:
    """The facts that the arguments name. Raises InputError, UsageError, NodeError."""
    policies = None
    if args.authorization_policy_file:
        file = args.authorization_policy_file
        policies = Abac(inputs.content_of(file).decode("utf-8", "replace"), file)
    if args.kubeconfig:
        return _of_server(args, wanted, policies)
    items = _items(args.filename) if args.filename else []
    defaults = [] if args.no_default_roles else default_objects()
    found = [read(item) for item in items if item.kind in KINDS]
    written = {(each.kind, each.namespace, each.name) for each in found}
    found += [each for each in map(_stored, defaults) if (each.kind, each.namespace, each.name) not in written]
    graph = Graph()
    for item in items:
        if item.kind in _PLURALS:
            graph.put(_PLURALS[item.kind], _in_namespace(item))
    notes = () if items else ("no roles were given: these are the roles of every API server alone",)
    return Facts(_rbac(found), graph, policies, notes)


def _items(names: list[str]) -> list[Item]:
    found: list[Item] = []
    for document in inputs.documents(names, _ADVICE):
        every = objects_of(document)
        if any(item.kind in KINDS for item in every):
            require(document)
        found += every
    return found


def _in_namespace(item: Item) -> JsonObject:
    of = member(item.raw, "metadata")
    namespace = item.namespace or (DEFAULT_NAMESPACE if item.kind == "Pod" else "")
    return {**item.raw, "metadata": {**of, "namespace": namespace}}


def _stored(raw: JsonObject) -> RoleObject | BindingObject:
    return stored(str(raw["kind"]), raw)


def _rbac(found: Iterable[RoleObject | BindingObject]) -> Rbac:
    every = sorted(found, key=lambda each: (each.namespace, each.name))
    roles = [each for each in every if isinstance(each, RoleObject)]
    return Rbac(roles, [each for each in every if not isinstance(each, RoleObject)])


# --- A running server -------------------------------------------------------------------------------------------------


def _of_server(args: argparse.Namespace, wanted: Attributes, policies: Abac | None) -> Facts:
    from podward.client import connection  # only who asks a server waits for these

    remote = connection.load(args.kubeconfig)
    found: list[RoleObject | BindingObject] = []
    for kind in KINDS:
        found += (stored(kind, raw) for raw in _listed(remote, f"{_RBAC_PATH}/{kind.lower()}s"))
    graph = Graph()
    if NODE in args.authorization_mode.split(","):
        for plural in FOLLOWED:
            for raw in _listed(remote, _LISTED[plural]):
                graph.put(plural, raw)
    return Facts(_rbac(found), graph, policies, (_own_answer(remote, wanted),))


def _own_answer(remote: Connection, wanted: Attributes) -> str:
    """What the server itself says to the question."""
    review: JsonObject = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": spec_of(wanted),
    }
    answer = member(_answer(remote, "POST", _REVIEWS, review), "status")
    verdict = (
        "allowed" if answer.get("allowed") is True else "denied" if answer.get("denied") is True else "not allowed"
    )
    reason = answer.get("reason") or answer.get("evaluationError")
    return f"the server itself says: {verdict}" + (f": {reason}" if reason else "")


def _listed(remote: Connection, path: str) -> list[JsonObject]:
    return objects(_answer(remote, "GET", path), "items")


def _answer(remote: Connection, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    where = urlsplit(remote.server)
    if where.scheme != "https":
        raise UsageError("the server is not reached over HTTPS", where="--kubeconfig")
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=remote.tls, timeout=_TIMEOUT)
    headers = {"Content-Type": "application/json", "Accept": "application/json", **dict(remote.headers)}
    sent = None if body is None else msgspec.json.encode(body)
    try:
        with contextlib.closing(connection):
            connection.request(method, where.path.rstrip("/") + path, sent, headers)
            answer = connection.getresponse()
            text = answer.read(inputs.LARGEST)
    except OSError as error:
        raise NodeError(f"cannot be reached: {error.strerror or error}", where=remote.server) from None
    if answer.status >= http.client.BAD_REQUEST:
        advice = "whoever explains access must be allowed to list roles and bindings"
        raise InputError(f"the server answers {path} with {answer.status}", where=remote.server, advice=advice)
    try:
        return msgspec.json.decode(text, type=dict)
    except msgspec.MsgspecError:
        raise InputError(f"the server's answer to {path} is no JSON object", where=remote.server) from None
