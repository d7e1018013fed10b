"""The Node authorizer: what the kubelet of a node may do.

Specification: Kubernetes, plugin/pkg/auth/authorizer/node, node_authorizer.go. A node is a user called
`system:node:NAME` in the group `system:nodes`. Of Secrets, ConfigMaps, claims, volumes and the like it reads those that
its own Pods need; of Nodes, CSINodes and leases its own; of Pods those that are bound to it. Everything else is as the
role `system:node` says. What it may not do it has no opinion on, so that RBAC may still allow it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.aggregation import own_rules
from podward.access.default_roles.objects import default_objects
from podward.access.known_rules import NONE, KnownRules
from podward.access.node.graph import ATTACHMENTS, PODS, SLICES, VOLUMES, Graph
from podward.access.objects import RoleObject
from podward.access.reading import stored
from podward.access.role_index import RoleIndex
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.caller import node_of
from podward.api.gotext import quote
from podward.decision import Origin, Source
from podward.documents.raw_fields import member
from podward.schema.pod_references import ACCOUNT, CLAIM, CONFIG_MAP, RESOURCE_CLAIM, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.access.node.graph import Key
    from podward.api.authorization import Attributes
    from podward.api.caller import User
    from podward.api.json_value import JsonObject

NAME = "Node"
_ROLE = "system:node"
_LEASES = "kube-node-lease"
_UNLISTED = KnownRules((), ("node authorizer does not support user rule resolution",), incomplete=True)
_READING = frozenset(("get", "list", "watch"))
_OWN_OBJECT = frozenset(("get", "create", "update", "patch", "delete"))


class NodeAuthorizer:
    """The authorizer of nodes, by what it knows of the objects that they need."""

    __slots__ = ("_rules", "_ways", "graph")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._rules = RoleIndex(own_rules(_role()))
        self._ways: dict[tuple[str, str], Callable[[str, Attributes], Answer]] = {
            ("", SECRET): self._read,
            ("", CONFIG_MAP): self._read,
            ("", CLAIM): self._claim,
            ("", VOLUMES): self._get,
            ("resource.k8s.io", RESOURCE_CLAIM): self._get,
            ("storage.k8s.io", ATTACHMENTS): self._get,
            ("", ACCOUNT): self._account,
            ("resource.k8s.io", SLICES): self._slice,
            ("", PODS): self._pod,
        }

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed, or no opinion; never denied."""
        node = node_of(wanted.user)
        if node is None:
            return NO_OPINION
        if not node:
            return Answer(message=f"unknown node for user {quote(wanted.user.username)}")
        if not wanted.path:
            about = (wanted.group, wanted.resource)
            way = self._ways.get(about) or _OWN.get(about)
            if way is not None:
                return way(node, wanted)
        return _allowed(f"the rules of {_ROLE}") if self._rules.first(wanted) is not None else NO_OPINION

    def known_rules(self, user: User, _namespace: str) -> KnownRules:
        """Nodes have more rights than can be listed."""
        return _UNLISTED if node_of(user) is not None else NONE

    def depends_on_objects(self, wanted: Attributes) -> bool:
        """Whether the answer depends on what is stored at the moment."""
        return not wanted.path and (wanted.group, wanted.resource) in self._ways and bool(node_of(wanted.user))

    def _related(self, node: str, wanted: Attributes) -> Answer:
        if not wanted.name:
            return Answer(message="No Object name found")
        way = self.graph.relation(node, wanted.resource, wanted.namespace, wanted.name)
        if way is None:
            return Answer(message=f"no relationship found between node '{node}' and this object")
        return _allowed(f"node {node} <- {' <- '.join(map(_named, way))}")

    def _get(self, node: str, wanted: Attributes) -> Answer:
        if wanted.verb != "get":
            return Answer(message="can only get individual resources of this type")
        if wanted.subresource:
            return Answer(message="cannot get subresource")
        return self._related(node, wanted)

    def _read(self, node: str, wanted: Attributes) -> Answer:
        if wanted.verb not in _READING:
            return Answer(message="can only read resources of this type")
        if wanted.subresource:
            return Answer(message="cannot read subresource")
        if not wanted.namespace:
            return Answer(message="can only read namespaced object of this type")
        return self._related(node, wanted)

    def _claim(self, node: str, wanted: Attributes) -> Answer:
        if wanted.subresource != "status":
            return self._get(node, wanted)
        if wanted.verb not in {"update", "patch"}:
            return Answer(message="can only get/update/patch this type")
        return self._related(node, wanted)

    def _account(self, node: str, wanted: Attributes) -> Answer:
        if wanted.verb == "get" and not wanted.subresource:
            return self._read(node, wanted)
        if wanted.verb != "create" or not wanted.name:
            return Answer(message="can only create tokens for individual service accounts")
        if wanted.subresource != "token":
            return Answer(message="can only create token subresource of serviceaccount")
        return self._related(node, wanted)

    def _slice(self, node: str, wanted: Attributes) -> Answer:
        if wanted.subresource:
            return Answer(message="cannot authorize ResourceSlice subresources")
        verb = wanted.verb
        if verb == "create":
            return _allowed("NodeRestriction checks whose it is")
        if verb in {"get", "update", "patch", "delete"}:
            return self._related(node, wanted)
        if verb in {"watch", "list", "deletecollection"}:
            if _selects(wanted, "spec.nodeName", node):
                return _allowed("only those of the node are selected")
            return Answer(message="can only list/watch/deletecollection resourceslices with nodeName field selector")
        verbs = "get, watch, list, create, update, patch, delete, deletecollection"
        return Answer(message=f"only the following verbs are allowed for a ResourceSlice: {verbs}")

    def _pod(self, node: str, wanted: Attributes) -> Answer:
        part, verb = wanted.subresource, wanted.verb
        if not part and verb == "get":
            return self._related(node, wanted)
        if not part and verb in {"list", "watch"}:
            if _selects(wanted, "spec.nodeName", node):
                return _allowed("only those of the node are selected")
            if wanted.name:
                return self._related(node, wanted)
            return Answer(message="can only list/watch pods with spec.nodeName field selector")
        if (part, verb) in _OF_PODS:
            return _allowed("NodeRestriction checks whose it is")
        return NO_OPINION


_OF_PODS = frozenset(
    (("", "create"), ("", "delete"), ("status", "update"), ("status", "patch"), ("eviction", "create"))
)


def _node(node: str, wanted: Attributes) -> Answer:
    part, verb = wanted.subresource, wanted.verb
    if (part, verb) in {("", "create"), ("", "update"), ("", "patch"), ("status", "update"), ("status", "patch")}:
        return _allowed("NodeRestriction checks whose it is")
    if part or verb not in _READING:
        return NO_OPINION
    if wanted.name == node:
        return _allowed("its own Node")
    what = f"'{wanted.name}'" if wanted.name else "all nodes"
    return Answer(message=f"node '{node}' cannot read {what}, only its own Node object")


def _lease(node: str, wanted: Attributes) -> Answer:
    if wanted.verb not in _OWN_OBJECT:
        return Answer(message="can only get, create, update, patch, or delete a node lease")
    if wanted.namespace != _LEASES:
        return Answer(message=f"can only access leases in the {quote(_LEASES)} system namespace")
    if wanted.verb != "create" and wanted.name != node:
        return Answer(message="can only access node lease with the same name as the requesting node")
    return _allowed("its own lease")


def _csi_node(node: str, wanted: Attributes) -> Answer:
    if wanted.verb not in _OWN_OBJECT:
        return Answer(message="can only get, create, update, patch, or delete a CSINode")
    if wanted.subresource:
        return Answer(message="cannot authorize CSINode subresources")
    if wanted.verb != "create" and wanted.name != node:
        return Answer(message="can only access CSINode with the same name as the requesting node")
    return _allowed("its own CSINode")


_OWN: dict[tuple[str, str], Callable[[str, Attributes], Answer]] = {
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("", "nodes"): _node,
    ("certificates.k8s.io", "podcertificaterequests"): lambda _node, _wanted: NO_OPINION,
}
"""What of these a node may do follows from its name alone."""


def _selects(wanted: Attributes, field: str, value: str) -> bool:
    return any(
        each.key == field and each.operator == "In" and each.values == (value,) for each in wanted.field_selector
    )


def _allowed(why: str) -> Answer:
    return Answer(Opinion.ALLOW, Source(Origin.RULE, f"Node authorizer: {why}"))


def _named(key: Key) -> str:
    plural, namespace, name = key
    return f"{plural} {namespace}/{name}" if namespace else f"{plural} {name}"


def _role() -> RoleObject:
    """The role that says what nodes may do beside their own objects."""
    raws: list[JsonObject] = default_objects()
    raw = next(each for each in raws if (each["kind"], member(each, "metadata")["name"]) == ("ClusterRole", _ROLE))
    role = stored("ClusterRole", raw)
    if not isinstance(role, RoleObject):
        raise TypeError(f"{_ROLE} is no role")
    return role
