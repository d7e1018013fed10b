"""The RBAC authorizer answers as Kubernetes' own does, and says which line granted it."""

from __future__ import annotations

import pytest

from podward.access import reading
from podward.access.objects import RoleObject
from podward.access.rbac import Granted, Rbac
from podward.api.authorization import NO_OPINION, Attributes, Opinion
from podward.api.caller import User, service_account
from podward.api.json_value import JsonObject
from podward.decision import Origin
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.policy.scc.access import use_of
from podward.schema.objects import objects_of
from podward.schema.strict import require

VERSION = "apiVersion: rbac.authorization.k8s.io/v1"
RULES = "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]"
POD_READER = f"{VERSION}\nkind: ClusterRole\nmetadata: {{name: pod-reader}}\n{RULES}\n"
ALICE = User("alice", ("staff", "system:authenticated"))


def reads(user: User = ALICE, namespace: str = "shop", name: str = "web") -> Attributes:
    return Attributes(user, "get", resource="pods", name=name, namespace=namespace)


def rbac(*texts: str) -> Rbac:
    """The authorizer of these documents, read as a file."""
    roles, bindings = [], []
    for document in decode_documents("\n---\n".join(texts).encode(), "rbac.yaml"):
        require(document)
        for item in objects_of(document):
            read = reading.read(item)
            if isinstance(read, RoleObject):
                roles.append(read)
            else:
                bindings.append(read)
    return Rbac(roles, bindings)


def is_allowed(made: Rbac, wanted: Attributes) -> bool:
    return made.authorize(wanted).opinion is Opinion.ALLOW


def granted(made: Rbac, wanted: Attributes) -> Granted:
    """The answer of a binding, which there must be."""
    answer = made.authorize(wanted)
    assert isinstance(answer, Granted)
    assert answer.opinion is Opinion.ALLOW
    return answer


def binding(subjects: str, role: str = "kind: ClusterRole, name: pod-reader", where: str = "") -> str:
    kind = "RoleBinding" if where else "ClusterRoleBinding"
    place = f", namespace: {where}" if where else ""
    return f"{VERSION}\nkind: {kind}\nmetadata: {{name: b{place}}}\nroleRef: {{{role}}}\nsubjects:\n{subjects}\n"


def test_nothing_is_allowed_without_a_binding() -> None:
    assert not is_allowed(rbac(POD_READER), reads())


@pytest.mark.parametrize(
    ("subjects", "user", "allowed"),
    [
        ("- {kind: User, name: alice}", ALICE, True),
        ("- {kind: User, name: Alice}", ALICE, False),
        ("- {kind: Group, name: staff}", ALICE, True),
        ("- {kind: Group, name: alice}", ALICE, False),
        ("- {kind: User, name: staff}", ALICE, False),
        ("- {kind: User, name: bob}\n- {kind: Group, name: staff}", ALICE, True),
        ("- {kind: ServiceAccount, name: app, namespace: shop}", service_account("shop", "app"), True),
        ("- {kind: ServiceAccount, name: app, namespace: shop}", service_account("other", "app"), False),
        ("- {kind: Group, name: 'system:serviceaccounts:shop'}", service_account("shop", "app"), True),
        ("- {kind: Group, name: 'system:authenticated'}", service_account("shop", "app"), False),
        ("- {kind: User, name: 'system:serviceaccount:shop:app'}", service_account("shop", "app"), True),
        ("- {kind: ServiceAccount, name: app, namespace: shop}", User("app"), False),
    ],
)
def test_whom_a_binding_is_for(subjects: str, user: User, *, allowed: bool) -> None:
    assert is_allowed(rbac(POD_READER, binding(subjects)), reads(user)) is allowed


def test_a_role_binding_holds_in_its_own_namespace_only() -> None:
    made = rbac(POD_READER, binding("- {kind: User, name: alice}", where="shop"))
    assert is_allowed(made, reads())
    assert not is_allowed(made, reads(namespace="other", name=""))
    assert not is_allowed(made, reads(namespace="", name=""))


def test_a_role_bindings_service_account_is_of_its_namespace_if_it_says_none() -> None:
    made = rbac(POD_READER, binding("- {kind: ServiceAccount, name: app}", where="shop"))
    assert is_allowed(made, reads(service_account("shop", "app")))
    assert not is_allowed(made, reads(service_account("other", "app")))


def test_a_role_is_looked_for_in_the_bindings_namespace() -> None:
    role = f"{VERSION}\nkind: Role\nmetadata: {{name: r, namespace: shop}}\n{RULES}\n"
    here = binding("- {kind: User, name: alice}", "kind: Role, name: r", "shop")
    there = binding("- {kind: User, name: alice}", "kind: Role, name: r", "other")
    assert is_allowed(rbac(role, here), reads())
    elsewhere = rbac(role, there)
    assert not is_allowed(elsewhere, reads(namespace="other", name=""))
    (dangling,) = elsewhere.dangling
    assert (
        str(dangling) == 'rbac.yaml:10: RoleBinding "b": there is no Role "r" of namespace "other": it grants nothing'
    )


def test_roles_without_a_namespace_are_of_the_default_one() -> None:
    role = f"{VERSION}\nkind: Role\nmetadata: {{name: r}}\n{RULES}\n"
    made = rbac(role, binding("- {kind: User, name: alice}", "kind: Role, name: r", "default"))
    assert is_allowed(made, reads(namespace="default", name=""))


def test_a_binding_to_nothing_is_reported_and_grants_nothing() -> None:
    made = rbac(binding("- {kind: User, name: alice}"))
    assert not is_allowed(made, reads())
    assert [str(dangling) for dangling in made.dangling] == [
        'rbac.yaml:4: ClusterRoleBinding "b": there is no ClusterRole "pod-reader": it grants nothing'
    ]


def test_masters_may_do_anything() -> None:
    allowed = rbac().authorize(reads(User("root", ("system:masters",))))
    assert (allowed.opinion, allowed.reason) == (Opinion.ALLOW, "the group system:masters may do anything")
    assert allowed.source is not None
    assert allowed.source.origin is Origin.RULE
    assert not is_allowed(rbac(), reads(User("system:masters")))


def test_the_answer_names_the_binding_the_role_and_the_line() -> None:
    made = rbac(POD_READER, binding("- {kind: User, name: bob}\n- {kind: Group, name: staff}", where="shop"))
    allowed = granted(made, reads())
    assert allowed.reason == 'RBAC: allowed by RoleBinding "b/shop" of ClusterRole "pod-reader" to Group "staff"'
    assert str(allowed.source) == "rbac.yaml:13 subjects[1]"
    assert (allowed.rule.role.name, allowed.rule.index) == ("pod-reader", 0)


def test_a_service_account_is_named_with_its_namespace() -> None:
    made = rbac(POD_READER, binding("- {kind: ServiceAccount, name: app}", where="shop"))
    allowed = granted(made, reads(service_account("shop", "app")))
    assert allowed.reason.endswith('to ServiceAccount "app/shop"')


def test_the_clusters_bindings_come_before_those_of_the_namespace_and_earlier_ones_first() -> None:
    local = binding("- {kind: User, name: alice}", where="shop")
    first = binding("- {kind: Group, name: staff}").replace("{name: b}", "{name: first}")
    second = binding("- {kind: User, name: alice}").replace("{name: b}", "{name: second}")
    allowed = granted(rbac(POD_READER, local, first, second), reads())
    assert allowed.binding.name == "first"


def test_objects_in_a_list_are_cited_where_they_stand() -> None:
    inside = (POD_READER + "---\n" + binding("- {kind: User, name: alice}")).split("---\n")
    items = "".join("- " + text.strip().replace("\n", "\n  ") + "\n" for text in inside)
    allowed = granted(rbac(f"apiVersion: v1\nkind: List\nitems:\n{items}"), reads())
    assert str(allowed.source) == "rbac.yaml:13 items[1].subjects[0]"


def test_the_use_of_an_scc_is_asked_for_by_its_name() -> None:
    role = (
        f"{VERSION}\nkind: ClusterRole\nmetadata: {{name: use-anyuid}}\nrules:\n- apiGroups: [security.openshift.io]\n"
        "  resources: [securitycontextconstraints]\n  resourceNames: [anyuid]\n  verbs: [use]\n"
    )
    made = rbac(role, binding("- {kind: User, name: alice}", "kind: ClusterRole, name: use-anyuid", "shop"))
    granted = made.authorize(use_of("anyuid", ALICE, "shop"))
    assert granted.opinion is Opinion.ALLOW
    assert str(granted.source) == "rbac.yaml:16 subjects[0]"
    assert made.authorize(use_of("anyuid", ALICE, "other")) == NO_OPINION
    assert made.authorize(use_of("privileged", ALICE, "shop")) == NO_OPINION
    assert made.authorize(use_of("anyuid", User("bob"), "shop")) == NO_OPINION


# --- objects that no file has -------------------------------------------------------------------------------------


def of_store(*objects: tuple[str, JsonObject]) -> Rbac:
    """The authorizer of objects as a server has them, by their kinds."""
    found = [reading.stored(kind, raw) for kind, raw in objects]
    roles = [each for each in found if isinstance(each, RoleObject)]
    return Rbac(roles, [each for each in found if not isinstance(each, RoleObject)])


def stored_binding(kind: str, role: str, namespace: str = "") -> tuple[str, JsonObject]:
    metadata: JsonObject = {"name": "b", **({"namespace": namespace} if namespace else {})}
    reference: JsonObject = {"kind": role, "name": "pod-reader"}
    return kind, {"metadata": metadata, "roleRef": reference, "subjects": [{"kind": "User", "name": "alice"}]}


READER: JsonObject = {
    "metadata": {"name": "pod-reader"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}


def test_an_object_of_a_store_is_named_as_what_decided() -> None:
    made = of_store(("ClusterRole", READER), stored_binding("RoleBinding", "ClusterRole", "shop"))
    allowed = granted(made, reads())
    assert str(allowed.source) == "RoleBinding shop/b subjects[0]"
    assert allowed.reason == 'RBAC: allowed by RoleBinding "b/shop" of ClusterRole "pod-reader" to User "alice"'
    assert not is_allowed(made, reads(namespace="other"))
    cluster_wide = of_store(("ClusterRole", READER), stored_binding("ClusterRoleBinding", "ClusterRole"))
    assert str(granted(cluster_wide, reads(namespace="other")).source) == "ClusterRoleBinding b subjects[0]"


def test_a_stored_binding_to_nothing_says_so_without_a_place() -> None:
    (dangling,) = of_store(stored_binding("ClusterRoleBinding", "ClusterRole")).dangling
    assert str(dangling) == 'ClusterRoleBinding "b": there is no ClusterRole "pod-reader": it grants nothing'


def test_a_local_object_whose_namespace_is_lost_does_not_become_the_clusters() -> None:
    made = of_store(("Role", READER), stored_binding("RoleBinding", "Role"))
    assert not is_allowed(made, reads(namespace="shop"))
    assert not is_allowed(made, reads(namespace=""))
    assert is_allowed(made, reads(namespace="default"))


def test_a_namespace_on_a_cluster_role_is_taken_off_as_a_server_does() -> None:
    role = POD_READER.replace("{name: pod-reader}", "{name: pod-reader, namespace: shop}")
    assert is_allowed(rbac(role, binding("- {kind: User, name: alice}")), reads())


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (binding("- {kind: ServiceAccount, name: app}"), 6, "subjects[0].namespace: Required value"),
        (binding("- {kind: user, name: a}"), 6, 'subjects[0].kind: Unsupported value: "user"'),
        (binding("- {kind: User, name: a, apiGroup: v1}"), 6, 'subjects[0].apiGroup: Unsupported value: "v1"'),
        (binding("- {kind: User, name: a}", "kind: Role, name: r"), 4, 'roleRef.kind: Unsupported value: "Role"'),
        (binding("- {kind: User, name: a}", "kind: ClusterRole"), 4, "roleRef.name: Required value"),
        (POD_READER.replace("pod-reader", "a/b"), 3, "metadata.name: Invalid value: \"a/b\": may not contain '/'"),
        (POD_READER.replace("verbs: [get]", "verbs: []"), 4, "rules[0].verbs: Required value: verbs must contain"),
        (POD_READER.replace("resources", "nonResourceURLs"), 4, "rules cannot apply to both regular resources"),
    ],
)
def test_what_a_server_would_not_store_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(InputError) as caught:
        rbac(text)
    assert caught.value.where == f"rbac.yaml:{line}"
    assert what in caught.value.what
