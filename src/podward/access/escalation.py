"""Nobody gives away what he does not have: the checks before a role or a binding is written.

Specification: Kubernetes, pkg/registry/rbac, escalation_check.go and the policybased storages. A member of
`system:masters` may write anything. Who may `escalate` a role may write any rules into it, who may `bind` a role may
bind it; everybody else must hold every rule that the object gives, in its own namespace. Collecting the rules of others
by an aggregationRule takes all rights there are. A change of owners and finalizers alone is not asked about.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.objects import GROUP, BindingObject, PolicyRule, RoleObject
from podward.access.reading import stored
from podward.access.rule_coverage import described, missing, quoted
from podward.api import status
from podward.api.admission import GroupResource
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import MASTERS
from podward.api.gotext import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.access.stored_rbac import StoredRbac
    from podward.api.caller import User
    from podward.api.json_value import Json, JsonObject
    from podward.api.status import Status

KINDS = {
    "roles": "Role",
    "clusterroles": "ClusterRole",
    "rolebindings": "RoleBinding",
    "clusterrolebindings": "ClusterRoleBinding",
}
"""The resources whose writes are checked, with their kinds."""
_EVERYTHING = (
    PolicyRule(("*",), ("*",), ("*",)),
    PolicyRule(("*",), non_resource_urls=("*",)),
)
_OF_THE_COLLECTOR = ("ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation", "selfLink")


class RbacWrite(Struct, frozen=True):
    """Somebody writes a role or a binding: `name` is the request's, empty for one that is created."""

    user: User
    resource: str
    namespace: str
    name: str
    new: JsonObject
    old: JsonObject | None = None


def refusal(write: RbacWrite, rbac: StoredRbac) -> Generator[Attributes, Answer, Status | None]:
    """Why it may not be written, or None. It yields what the authorizers are asked, and is sent their answers."""
    if MASTERS in write.user.groups:
        return None
    what = stored(KINDS[write.resource], write.new)
    if isinstance(what, RoleObject):
        return (yield from _of_role(write, what, rbac))
    return (yield from _of_binding(write, what, rbac))


def _of_role(write: RbacWrite, role: RoleObject, rbac: StoredRbac) -> Generator[Attributes, Answer, Status | None]:
    wanted = Attributes(write.user, "escalate", GROUP, write.resource, name=write.name, namespace=write.namespace)
    answer = yield wanted
    if answer.opinion is Opinion.ALLOW or _only_for_the_collector(write):
        return None
    fault = _lacks(write, role.view.rules or (), rbac)
    if not fault and (_collects(write.new) or _collects(write.old)) and _lacks(write, _EVERYTHING, rbac):
        fault = "must have cluster-admin privileges to use the aggregationRule"
    return status.forbidden(GroupResource(GROUP, write.resource), role.name, fault) if fault else None


def _of_binding(
    write: RbacWrite, binding: BindingObject, rbac: StoredRbac
) -> Generator[Attributes, Answer, Status | None]:
    if _only_for_the_collector(write):
        return None
    resource = GroupResource(GROUP, write.resource)
    role = binding.view.role_ref
    if role.kind in {"Role", "ClusterRole"}:
        plural = f"{role.kind.lower()}s"
        group = GROUP if role.api_group is None else role.api_group
        answer = yield Attributes(write.user, "bind", group, plural, name=role.name or "", namespace=write.namespace)
        if answer.opinion is Opinion.ALLOW:
            return None
        rules = rbac.rules_of(role, write.namespace)
        if rules is None:
            return status.not_found(resource, role.name or "")
        fault = _lacks(write, [rule.policy for rule in rules], rbac)
        return status.forbidden(resource, binding.name, fault) if fault else None
    return status.unexplained(f"unsupported role reference kind: {quote(role.kind or '')}")


def _lacks(write: RbacWrite, wanted: Sequence[PolicyRule], rbac: StoredRbac) -> str:
    owned, errors = rbac.rules_for(write.user, write.namespace)
    lacking = missing([rule.policy for rule in owned], wanted)
    if not lacking:
        return ""
    who = f"user {quote(write.user.username)} (groups={quoted(write.user.groups)})"
    sentence = f"{who} is attempting to grant RBAC permissions not currently held:\n" + "\n".join(described(lacking))
    return f"{sentence}; resolution errors: [{' '.join(errors)}]" if errors else sentence


def _collects(raw: JsonObject | None) -> bool:
    rule = raw.get("aggregationRule") if raw is not None else None
    return isinstance(rule, dict) and bool(rule.get("clusterRoleSelectors"))


def _only_for_the_collector(write: RbacWrite) -> bool:
    """Whether the change is one that garbage collection needs, and nothing else."""
    return write.old is not None and _bare(write.new) == _bare(write.old)


def _bare(raw: JsonObject) -> dict[str, Json]:
    metadata = raw.get("metadata")
    kept = metadata if isinstance(metadata, dict) else {}
    fields = {name: value for name, value in raw.items() if name not in {"metadata", "apiVersion", "kind"} and value}
    return {**fields, "metadata": {name: value for name, value in kept.items() if name not in _OF_THE_COLLECTOR}}
