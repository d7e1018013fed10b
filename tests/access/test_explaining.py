"""Each authorizer's answer, the lines that decided, and what came closest."""

from __future__ import annotations

import shlex

import pytest

from podward.access.abac import Abac
from podward.access.always import AlwaysAllow
from podward.access.explaining import answers, decision, described, lacks, remedy, words
from podward.access.objects import PolicyRule
from podward.access.rbac import Rbac
from podward.access.reading import read
from podward.api.access_explanation import Cited
from podward.api.authorization import Attributes
from podward.api.caller import User
from podward.documents.reader import decode_documents
from podward.schema.objects import objects_of

TEXT = b"""kind: Role
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: reader, namespace: shop}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: readers, namespace: shop}
subjects:
- {kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}
roleRef: {kind: Role, name: reader, apiGroup: rbac.authorization.k8s.io}
"""
ALICE = User("alice", ("system:authenticated",))


def rbac() -> Rbac:
    role, binding = (read(item) for each in decode_documents(TEXT, "rbac.yaml") for item in objects_of(each))
    return Rbac([role], [binding])  # type: ignore[list-item]  # in this order


def wanted(verb: str, *, subresource: str = "", name: str = "") -> Attributes:
    return Attributes(ALICE, verb, "", "pods", subresource, name, "shop")


def test_what_allows_is_cited_by_file_and_line() -> None:
    found = answers([("RBAC", rbac()), ("AlwaysAllow", AlwaysAllow())], wanted("get"))
    assert [each.opinion for each in found] == ["no opinion", "allow", "not asked"]
    assert decision(found) == (True, "RBAC")
    assert found[1].cited == (
        Cited("RoleBinding shop/readers, subject User alice", "rbac.yaml:13"),
        Cited("Role shop/reader, rule 1: get list on pods of core", "rbac.yaml:5"),
    )


def test_what_comes_closest_is_told_where_nothing_allows() -> None:
    found = answers([("RBAC", rbac())], wanted("delete"))
    assert decision(found) == (False, "")
    (near,) = found[1].near
    assert near.where == "rbac.yaml:5"
    assert near.what.endswith("get list on pods of core: not the verb delete")


def test_a_line_of_a_policy_file_is_cited() -> None:
    policies = Abac('{"user":"bob"}\n{"user":"alice"}\n', "abac.jsonl")
    found = answers([("RBAC", rbac()), ("ABAC", policies)], wanted("delete"))
    assert found[2].cited == (Cited("abac.jsonl:2"),)


def test_masters_are_asked_about_nothing_else() -> None:
    found = answers([("RBAC", rbac())], Attributes(User("root", ("system:masters",)), "get", path="/metrics"))
    assert decision(found) == (True, "group system:masters")


RULE = PolicyRule(verbs=("get",), api_groups=("apps",), resources=("deployments",), resource_names=("web",))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Attributes(ALICE, "get", "apps", "deployments", name="web"), ""),
        (Attributes(ALICE, "delete", "apps", "deployments", name="web"), "not the verb delete"),
        (Attributes(ALICE, "get", "", "deployments", name="web"), "not the group core"),
        (Attributes(ALICE, "get", "apps", "deployments", name="db"), "not this name"),
        (Attributes(ALICE, "get", "apps", "deployments", "scale", "web"), "not the subresource scale"),
        (Attributes(ALICE, "delete", "", "deployments", name="web"), ""),
    ],
)
def test_the_one_thing_that_a_rule_lacks(asked: Attributes, why: str) -> None:
    assert lacks(RULE, asked) == why


def test_words() -> None:
    assert words(RULE) == "get on deployments of apps named web"
    assert words(PolicyRule(verbs=("get",), non_resource_urls=("/a", "/b"))) == "get on /a /b"
    assert described(wanted("get", subresource="log", name="web")) == "get pods/log web in namespace shop"
    assert described(Attributes(ALICE, "list", resource="nodes")) == "list nodes in the whole cluster"


@pytest.mark.parametrize(
    ("asked", "first", "second"),
    [
        (
            wanted("delete", name="web"),
            "kubectl create role NAME -n shop --verb=delete --resource=pods --resource-name=web",
            "kubectl create rolebinding NAME -n shop --role=NAME --user=alice",
        ),
        (
            Attributes(User("system:serviceaccount:a:b"), "list", "apps", "deployments"),
            "kubectl create clusterrole NAME --verb=list --resource=deployments.apps",
            "kubectl create clusterrolebinding NAME --clusterrole=NAME --serviceaccount=a:b",
        ),
        (
            Attributes(ALICE, "get", path="/metrics"),
            "kubectl create clusterrole NAME --verb=get --non-resource-url=/metrics",
            "kubectl create clusterrolebinding NAME --clusterrole=NAME --user=alice",
        ),
    ],
)
def test_the_remedy_allows_this_and_nothing_else(asked: Attributes, first: str, second: str) -> None:
    assert remedy(asked) == (first, second)


def test_a_hostile_name_is_one_word_of_the_remedy() -> None:
    asked = Attributes(User("a; touch /tmp/x #"), "get", resource="pods$(id)", name="it's", namespace="n\nrm")
    first, second = remedy(asked)
    created = ["kubectl", "create", "role", "NAME", "-n", "n\nrm"]
    assert shlex.split(first) == [*created, "--verb=get", "--resource=pods$(id)", "--resource-name=it's"]
    assert shlex.split(second)[-2:] == ["--role=NAME", "--user=a; touch /tmp/x #"]


@pytest.mark.parametrize(
    "asked",
    [
        Attributes(ALICE, "get,*", resource="pods"),
        Attributes(ALICE, "get", resource="pods,secrets"),
        Attributes(ALICE, "get", path="/a,/b"),
    ],
)
def test_there_is_no_remedy_that_would_allow_more_than_was_asked(asked: Attributes) -> None:
    assert remedy(asked) == ()
