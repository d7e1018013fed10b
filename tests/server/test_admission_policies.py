"""Admission policies: objects are refused, warned about and changed by what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from api_server import Server

GROUP = "/apis/admissionregistration.k8s.io/v1"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}


class Policies:
    """Makes policies, and takes them away again."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made: list[str] = []

    def validate(
        self, validations: Sequence[Mapping[str, Any]], actions: Sequence[str] = ("Deny",), **spec: object
    ) -> None:
        """A policy about ConfigMaps, and a binding of it."""
        self._bound("validating", {"validations": validations, **spec}, {"validationActions": [*actions]})

    def mutate(self, *mutations: Mapping[str, Any], **spec: object) -> None:
        """A policy that changes ConfigMaps, and a binding of it."""
        self._bound("mutating", {"mutations": mutations, "reinvocationPolicy": "Never", **spec}, {})

    def _bound(self, kind: str, spec: dict[str, Any], binding: dict[str, Any]) -> None:
        reference = spec.pop("paramRef", None)
        name = f"p{len(self._made)}"
        spec = {"matchConstraints": {"resourceRules": [RULE]}, **spec}
        binding = {"policyName": name, **binding, **({"paramRef": reference} if reference else {})}
        for suffix, of in (("policies", spec), ("policybindings", binding)):
            word = "Policy" if suffix == "policies" else "PolicyBinding"
            body = {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": f"{kind.capitalize()}Admission{word}",
                "metadata": {"name": name},
                "spec": of,
            }
            path = f"{GROUP}/{kind}admission{suffix}"
            code, answer, _ = self.server.ask("POST", path, body)
            assert code == 201, answer
            self._made.append(f"{path}/{name}")

    def remove(self) -> None:
        """Take all away."""
        for path in self._made:
            self.server.ask("DELETE", path)
        self._made.clear()


@pytest.fixture
def policies(server: Server) -> Iterator[Policies]:
    made = Policies(server)
    yield made
    made.remove()


def config_map(data: Mapping[str, str] | None = None, **metadata: object) -> dict[str, Any]:
    found = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}
    return {**found, "data": dict(data)} if data is not None else found


def create(policies: Policies, obj: Mapping[str, Any]) -> tuple[int, Any, Any]:
    return policies.server.ask("POST", f"{CONFIG_MAPS}?dryRun=All", obj)


def test_a_policy_refuses_as_soon_as_it_is_bound(policies: Policies) -> None:
    policies.validate([{"expression": "has(object.data)", "message": "data is needed"}])
    code, refused, _ = create(policies, config_map())
    told = "ValidatingAdmissionPolicy 'p0' with binding 'p0' denied request: data is needed"
    assert code == 422
    assert refused["message"] == f'configmaps "a" is forbidden: {told}'
    assert refused["details"] == {"name": "a", "kind": "configmaps", "causes": [{"message": told}]}
    assert create(policies, config_map({}))[0] == 422
    assert create(policies, config_map({"x": "y"}))[0] == 201


def test_a_message_can_be_an_expression_and_a_reason_chosen(policies: Policies) -> None:
    policies.validate(
        [{"expression": "false", "messageExpression": "'no ' + variables.who", "reason": "Forbidden"}],
        variables=[{"name": "who", "expression": "request.userInfo.username"}],
    )
    code, refused, _ = create(policies, config_map())
    assert (code, refused["reason"]) == (403, "Forbidden")
    assert refused["message"].endswith("denied request: no admin")


def test_a_policy_that_warns_lets_in(policies: Policies) -> None:
    policies.validate([{"expression": "false"}], actions=["Warn"])
    code, _, headers = create(policies, config_map())
    assert code == 201
    told = "Validation failed for ValidatingAdmissionPolicy 'p0' with binding 'p0': failed expression: false"
    assert headers["Warning"] == f'299 - "{told}"'


@pytest.mark.parametrize(("failures", "expected"), [("Fail", 422), ("Ignore", 201)])
def test_what_cannot_be_evaluated_refuses_unless_failures_are_ignored(
    policies: Policies, failures: str, expected: int
) -> None:
    policies.validate([{"expression": "object.data.no == 'x'"}], failurePolicy=failures)
    code, answer, _ = create(policies, config_map({"a": "b"}))
    assert code == expected
    if expected == 422:
        told = "expression 'object.data.no == 'x'' resulted in error: no such key: no"
        assert answer["message"].endswith(f"denied request: {told}")


def test_conditions_choose_requests(policies: Policies) -> None:
    policies.validate(
        [{"expression": "false"}], matchConditions=[{"name": "not-b", "expression": "object.metadata.name != 'b'"}]
    )
    assert create(policies, config_map())[0] == 422
    assert create(policies, config_map(name="b"))[0] == 201


def test_every_parameter_is_asked(policies: Policies) -> None:
    server = policies.server
    server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "limits"}})
    for name, most in (("one", "5"), ("two", "3")):
        limit = config_map({"most": most}, name=name, labels={"limits": "yes"})
        server.ask("POST", "/api/v1/namespaces/limits/configmaps", limit)
    policies.validate(
        [
            {
                "expression": "int(object.data.n) <= int(params.data.most)",
                "messageExpression": "string(params.metadata.name)",
            }
        ],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        paramRef={
            "namespace": "limits",
            "selector": {"matchLabels": {"limits": "yes"}},
            "parameterNotFoundAction": "Deny",
        },
    )
    assert create(policies, config_map({"n": "3"}))[0] == 201
    code, refused, _ = create(policies, config_map({"n": "4"}))
    assert (code, refused["message"].rpartition(": ")[2]) == (422, "two")


def test_a_parameter_that_is_not_there_denies_where_it_must_be(policies: Policies) -> None:
    policies.validate(
        [{"expression": "true"}],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        paramRef={"name": "nowhere", "parameterNotFoundAction": "Deny"},
    )
    code, refused, _ = create(policies, config_map())
    assert code == 422
    assert "no params found for policy binding with `Deny` parameterNotFoundAction" in refused["message"]


def test_the_authorizer_is_asked_for_the_caller(policies: Policies) -> None:
    policies.validate(
        [{"expression": "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()"}]
    )
    assert create(policies, config_map())[0] == 201
    policies.validate(
        [{"expression": "authorizer.serviceAccount('default', 'x').group('').resource('pods').check('get').allowed()"}]
    )
    assert create(policies, config_map())[0] == 422


def test_policies_themselves_are_left_alone(policies: Policies) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    policies.validate([{"expression": "false"}], matchConstraints={"resourceRules": [everything]})
    assert create(policies, config_map())[0] == 422
    policies.remove()
    assert create(policies, config_map())[0] == 201


def test_deletion_is_asked_about_with_the_old_object(policies: Policies) -> None:
    policies.server.ask("POST", CONFIG_MAPS, config_map({"keep": "yes"}, name="kept"))
    policies.validate(
        [{"expression": "object == null && oldObject.data.keep != 'yes'"}],
        matchConstraints={"resourceRules": [{**RULE, "operations": ["DELETE"]}]},
    )
    code, refused, _ = policies.server.ask("DELETE", f"{CONFIG_MAPS}/kept")
    assert (code, refused["reason"]) == (422, "Invalid")
    policies.remove()
    assert policies.server.ask("DELETE", f"{CONFIG_MAPS}/kept")[0] == 200


def applied(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def test_a_policy_applies_a_configuration(policies: Policies) -> None:
    policies.mutate(applied('Object{metadata: Object.metadata{labels: {"made-by": request.userInfo.username}}}'))
    code, made, _ = create(policies, config_map({"x": "y"}, labels={"a": "b"}))
    assert (code, made["metadata"]["labels"]) == (201, {"a": "b", "made-by": "admin"})


def test_a_policy_patches(policies: Policies) -> None:
    policies.mutate(patched('[JSONPatch{op: "add", path: "/data/" + jsonpatch.escapeKey("a/b"), value: "c"}]'))
    code, made, _ = create(policies, config_map({"x": "y"}))
    assert code == 422, made  # no key of a ConfigMap has a slash
    policies.remove()
    policies.mutate(patched('[JSONPatch{op: "add", path: "/data/ab", value: "c"}]'))
    assert create(policies, config_map({"x": "y"}))[1]["data"] == {"x": "y", "ab": "c"}


def test_a_policy_that_sees_its_own_work_is_asked_once(policies: Policies) -> None:
    once_more = "object.metadata.annotations.n + 'x'"
    policies.mutate(patched(f"[JSONPatch{{op: 'replace', path: '/metadata/annotations/n', value: {once_more}}}]"))
    code, made, _ = create(policies, config_map({}, annotations={"n": "x"}))
    assert (code, made["metadata"]["annotations"]) == (201, {"n": "xx"})


def test_a_patch_whose_test_fails_changes_nothing(policies: Policies) -> None:
    policies.mutate(
        patched('[JSONPatch{op: "test", path: "/data/x", value: "z"}, JSONPatch{op: "remove", path: "/data/x"}]')
    )
    assert create(policies, config_map({"x": "y"}))[1]["data"] == {"x": "y"}


def test_a_test_of_what_cannot_be_there_refuses(policies: Policies) -> None:
    policies.mutate(patched('[JSONPatch{op: "test", path: "/data/x", value: "z"}]'))
    code, refused, _ = create(policies, config_map({}))
    said = "JSON Patch: test operation does not apply: is missing path: /data/x: missing value"
    assert (code, refused["message"]) == (403, f"policy 'p0' with binding 'p0' denied request: {said}")


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("0", "error in remove for path: '{}': Unable to remove nonexistent key: nope: missing value"),
        ("9" * 5000, 'remove operation does not apply: doc is missing path: "{}": missing value'),
    ],
)
def test_what_is_not_there_in_an_item_of_a_list_cannot_be_removed(policies: Policies, index: str, said: str) -> None:
    path = f"/metadata/ownerReferences/{index}/nope"
    policies.mutate(patched(f'[JSONPatch{{op: "remove", path: "{path}"}}]'))
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}
    code, refused, _ = create(policies, config_map({}, ownerReferences=[owner]))
    told = f"policy 'p0' with binding 'p0' denied request: JSON Patch: {said.format(path)}"
    assert (code, refused["message"]) == (403, told)


def test_a_mutation_that_fails_refuses(policies: Policies) -> None:
    policies.mutate(applied("Object{spec: Object.spec{a: 1}}"))
    code, refused, _ = create(policies, config_map())
    told = "policy 'p0' with binding 'p0' denied request: error applying patch: failed to convert patch object to typed"
    assert (code, refused["reason"]) == (403, "Invalid")
    assert refused["message"] == f"{told} object: .spec: field not declared in schema"


def test_policies_that_want_it_see_what_later_ones_changed(policies: Policies) -> None:
    policies.mutate(
        applied("has(object.data.b) ? Object{data: {'seen': 'yes'}} : Object{}"), reinvocationPolicy="IfNeeded"
    )
    policies.mutate(applied("Object{data: {'b': 'c'}}"))
    assert create(policies, config_map({"x": "y"}))[1]["data"] == {"x": "y", "b": "c", "seen": "yes"}


def test_validating_policies_see_what_mutating_ones_made(policies: Policies) -> None:
    policies.mutate(applied("Object{data: {'b': 'c'}}"))
    policies.validate([{"expression": "object.data.b == 'd'"}])
    assert create(policies, config_map({"x": "y"}))[0] == 422
