"""AuthorizationConfiguration files: what they mean, and what the real server refuses in them, by line."""

from __future__ import annotations

import pytest

from podward.access.authorization_configuration import read
from podward.access.authorizer_entries import AuthorizerEntry, WebhookSettings
from podward.errors import InputError

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n"
WEBHOOK = """authorizers:
- type: Webhook
  name: gate
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /gate.conf}
"""
CONDITIONS = """    matchConditionSubjectAccessReviewVersion: v1
    matchConditions:
    - expression: request.user == 'alice'
"""


def test_a_file_names_authorizers_in_their_order() -> None:
    text = HEAD + WEBHOOK + CONDITIONS + "- {type: Node, name: node}\n- {type: RBAC, name: rbac}\n"
    gate = WebhookSettings("/gate.conf", "v1", 3.0, 300.0, 30.0, True, ("request.user == 'alice'",))
    assert read(text.encode(), "authz.yaml") == (
        AuthorizerEntry("Webhook", "gate", gate),
        AuthorizerEntry("Node", "node"),
        AuthorizerEntry("RBAC", "rbac"),
    )


def test_answers_may_be_forgotten_at_once() -> None:
    text = HEAD + WEBHOOK + "    cacheAuthorizedRequests: false\n    unauthorizedTTL: 1m\n"
    (entry,) = read(text.encode(), "authz.yaml")
    assert entry.webhook is not None
    assert (entry.webhook.authorized_ttl, entry.webhook.unauthorized_ttl) == (0.0, 60.0)


@pytest.mark.parametrize(
    ("body", "line", "fault"),
    [
        ("authorizers: []\n", 3, "authorizers: Required value: at least one authorization mode must be defined"),
        ("authorizers:\n- name: x\n", 4, "authorizers[0].type: Required value"),
        (
            "authorizers:\n- {type: Rbac, name: rbac}\n",
            4,
            'authorizers[0].type: Unsupported value: "Rbac": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny"',
        ),
        (
            "authorizers:\n- {type: RBAC, name: rbac}\n- {type: RBAC, name: two}\n",
            5,
            'authorizers[1].type: Duplicate value: "RBAC"',
        ),
        ("authorizers:\n- {type: RBAC, name: mine}\n", 4, "authorizers[0].name: expected name rbac"),
        ("authorizers:\n- {type: RBAC, name: rbac, webhook: {}}\n", 4, "may only be specified when type=Webhook"),
        ("authorizers:\n- {type: Webhook, name: gate}\n", 4, "authorizers[0].webhook: Required value"),
        (WEBHOOK.replace("3s", "31s"), 7, 'webhook.timeout: Invalid value: "31s": must be > 0s and <= 30s'),
        (WEBHOOK.replace("v1", "v2"), 8, 'Unsupported value: "v2": supported values: "v1", "v1beta1"'),
        (WEBHOOK.replace("Deny", "Allow"), 9, 'failurePolicy: Unsupported value: "Allow"'),
        (WEBHOOK.replace("/gate.conf", "gate.conf"), 10, "must be an absolute path"),
        (WEBHOOK.replace("    failurePolicy: Deny\n", ""), 6, "failurePolicy: Required value"),
        (WEBHOOK + CONDITIONS.replace("Version: v1", "Version: v1beta1"), 11, 'supported values: "v1"'),
        (WEBHOOK + CONDITIONS.replace("request.user ==", "request.usr =="), 13, "usr"),
        (WEBHOOK + CONDITIONS.replace("request.user == 'alice'", 'size("x")'), 13, "must evaluate to bool but got int"),
        (WEBHOOK + "    timeOut: 3s\n", 11, "there is no such field"),
    ],
)
def test_what_is_wrong_is_told_by_line(body: str, line: int, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        read((HEAD + body).encode(), "authz.yaml")
    assert fault in str(raised.value)
    assert f"authz.yaml:{line}" in str(raised.value)


def test_another_kind_is_none() -> None:
    with pytest.raises(InputError, match="this is Config of v1, not an authorization configuration"):
        read(b"apiVersion: v1\nkind: Config\n", "authz.yaml")
