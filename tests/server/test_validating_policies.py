"""ValidatingAdmissionPolicies of a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running

_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_MAPS = "/api/v1/namespaces/default/configmaps"
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps", "secrets"]}


def _policy(name: str, *expressions: str, **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [_RULE]},
            "validations": [{"expression": each} for each in expressions],
            **spec,
        },
    }


def _binding(name: str, *actions: str, **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": actions or ("Deny",), **spec},
    }


def _bind(server: Server, policy: dict[str, Any], *actions: str, **spec: object) -> None:
    code, made, _ = server.ask("POST", _POLICIES, policy)
    assert code == 201, made
    binding = _binding(policy["metadata"]["name"], *actions, **spec)
    code, made, _ = server.ask("POST", f"{_POLICIES[:-3]}ybindings", binding)
    assert code == 201, made


def _write(server: Server, name: str, **data: str) -> tuple[int, Any, Any]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return server.ask("POST", _MAPS, body)


def test_a_policy_decides_nothing_until_it_is_bound(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        policy = _policy("named", "object.metadata.name != 'bad'")
        assert server.ask("POST", _POLICIES, policy)[0] == 201
        assert _write(server, "bad")[0] == 201
        assert server.ask("POST", f"{_POLICIES[:-3]}ybindings", _binding("named"))[0] == 201
        assert server.ask("DELETE", f"{_MAPS}/bad")[0] == 422  # there is no object then, which fails
        code, refused, _ = server.ask("PUT", f"{_MAPS}/bad", {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad"},
        })  # fmt: skip
        assert (code, refused["reason"]) == (422, "Invalid")
        assert refused["message"].endswith("denied request: failed expression: object.metadata.name != 'bad'")


def test_warn_and_audit_refuse_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        _bind(server, _policy("w", "false"), "Warn", "Audit")
        code, _, headers = _write(server, "one")
        assert code == 201
        assert (
            "Validation failed for ValidatingAdmissionPolicy 'w' with binding 'w': failed expression: false"
            in (headers["Warning"])
        )


@pytest.mark.parametrize(("failure_policy", "code"), [("Fail", 422), ("Ignore", 201)])
def test_an_expression_that_fails_refuses_unless_failures_are_ignored(
    failure_policy: str, code: int, tmp_path: Path
) -> None:
    with running(tmp_path) as server:
        _bind(server, _policy("f", "object.nothing == 1", failurePolicy=failure_policy))
        answered, refused, _ = _write(server, "one")
        assert answered == code
        if code == 422:
            assert "expression 'object.nothing == 1' resulted in error: no such key: nothing" in refused["message"]


def test_parameters_and_the_authorizer_are_asked(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        expressions = (
            "!('size' in object.data) || int(object.data.size) < int(params.data.most)",
            "authorizer.group('').resource('secrets').namespace('default').check('delete').allowed()",
        )
        assert _write(server, "limits", most="5")[0] == 201
        policy = _policy("p", *expressions, paramKind=kind, matchConditions=[
            {"name": "sized", "expression": "has(object.data) && 'size' in object.data"},
        ])  # fmt: skip
        wanted = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
        _bind(server, policy, paramRef=wanted)
        assert _write(server, "small", size="4")[0] == 201
        assert _write(server, "large", size="6")[0] == 422
        assert server.ask("DELETE", f"{_MAPS}/limits")[0] == 422  # no object
        assert _write(server, "other", x="y")[0] == 201


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"validations": [{"expression": "1"}]}, "must evaluate to bool but got int"),
        ({"validations": [{"expression": "object.x"}]}, "must evaluate to bool but got dyn"),
        ({"validations": [{"expression": "params.x == 1"}]}, "undeclared reference to 'params'"),
        ({"validations": [{"expression": "true", "messageExpression": "1"}]}, "must evaluate to string but got int"),
        ({"variables": [{"name": "v", "expression": "1 +"}]}, "spec.variables[0].expression: Invalid value"),
        ({"matchConditions": [{"name": "m", "expression": "'a'"}]}, "must evaluate to bool but got string"),
        (
            {"auditAnnotations": [{"key": "k", "valueExpression": "1"}]},
            "must evaluate to one of [string null_type] but got int",
        ),
    ],
)
def test_a_policy_whose_expressions_do_not_compile_is_refused(
    spec: dict[str, object], said: str, tmp_path: Path
) -> None:
    with running(tmp_path) as server:
        code, refused, _ = server.ask("POST", f"{_POLICIES}?dryRun=All", _policy("c", "true", **spec))
        assert code == 422
        assert said in refused["message"]


def test_policies_are_not_about_policies(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
        _bind(server, _policy("all", "false", matchConstraints={"resourceRules": [everything]}))
        assert _write(server, "one")[0] == 422
        assert server.ask("DELETE", f"{_POLICIES}/all")[0] == 200
        assert _write(server, "one")[0] == 201
