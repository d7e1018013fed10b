"""What a webhook is sent, what its answers mean, and that nothing it does wrong allows anything."""

from __future__ import annotations

import json

import pytest

from podward.access.authorizer_entries import WebhookSettings
from podward.access.webhook_authorizer import Asking, WebhookAuthorizer
from podward.api.authorization import Answer, Attributes, Opinion, Requirement
from podward.api.caller import User

ALICE = User("alice", ("dev",), "u1", {"scope": ("x",)})
WANTED = Attributes(ALICE, "list", "apps", "deployments", namespace="shop", version="v1")


def webhook(**settings: object) -> WebhookAuthorizer:
    return WebhookAuthorizer("gate", WebhookSettings("/gate.conf", "v1", **settings))  # type: ignore[arg-type]  # of one test


def asked(of: WebhookAuthorizer, wanted: Attributes = WANTED, now: float = 0.0) -> Asking:
    found = of.asking(wanted, now)
    assert isinstance(found, Asking)
    return found


def answered(of: WebhookAuthorizer, answer: object, now: float = 0.0) -> Answer:
    text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return of.answered(asked(of, now=now), text, now)


def test_it_is_sent_a_review() -> None:
    fields = (Requirement("spec.nodeName", "In", ("n1",)),)
    wanted = Attributes(ALICE, "list", resource="pods", version="v1", field_selector=fields)
    assert asked(webhook(), wanted).document == {
        "kind": "SubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {
            "resourceAttributes": {
                "verb": "list",
                "version": "v1",
                "resource": "pods",
                "fieldSelector": {
                    "requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}],
                },
            },
            "user": "alice",
            "groups": ["dev"],
            "extra": {"scope": ["x"]},
            "uid": "u1",
        },
        "status": {"allowed": False},
    }


def test_the_older_version_has_another_name_for_groups() -> None:
    older = WebhookAuthorizer("gate", WebhookSettings("/gate.conf"))
    document = asked(older, Attributes(ALICE, "get", path="/healthz")).document
    assert document["apiVersion"] == "authorization.k8s.io/v1beta1"
    spec = document["spec"]
    assert isinstance(spec, dict)
    assert spec["group"] == ["dev"]
    assert spec["nonResourceAttributes"] == {"path": "/healthz", "verb": "get"}


@pytest.mark.parametrize(
    ("status", "opinion", "reason"),
    [
        ({"allowed": True, "reason": "fine"}, Opinion.ALLOW, "fine"),
        ({"allowed": False, "reason": "who?"}, Opinion.NO_OPINION, "who?"),
        ({"denied": True, "reason": "never"}, Opinion.DENY, "never"),
        ({}, Opinion.NO_OPINION, ""),
    ],
)
def test_its_answer_is_the_opinion(status: dict[str, object], opinion: Opinion, reason: str) -> None:
    found = answered(webhook(), {"apiVersion": "authorization.k8s.io/v1", "status": status})
    assert (found.opinion, found.reason, found.error) == (opinion, reason, "")


def test_allowed_and_denied_is_denied() -> None:
    found = answered(webhook(), {"status": {"allowed": True, "denied": True}})
    assert found.opinion is Opinion.DENY
    assert found.error == "webhook subject access review returned both allow and deny response"


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"yes", b"[]", b"\xff", {"status": {"allowed": "true"}}, {"status": []},
        {"kind": "Status", "status": {"allowed": True}},
        {"apiVersion": "authorization.k8s.io/v1beta1", "status": {"allowed": True}},
    ],
)  # fmt: skip
@pytest.mark.parametrize(("denies", "opinion"), [(False, Opinion.NO_OPINION), (True, Opinion.DENY)])
def test_what_is_no_answer_is_a_failure(answer: object, opinion: Opinion, *, denies: bool) -> None:
    found = answered(webhook(denies_on_failure=denies), answer)
    assert found.opinion is opinion
    assert found.error


def test_answers_are_remembered_for_a_while() -> None:
    gate = webhook(authorized_ttl=10.0, unauthorized_ttl=1.0)
    allowed = answered(gate, {"status": {"allowed": True}})
    assert gate.asking(WANTED, 9.0) == allowed
    assert isinstance(gate.asking(WANTED, 10.0), Asking)
    silent = answered(gate, {"status": {}}, now=20.0)
    assert gate.asking(WANTED, 20.5) == silent
    assert isinstance(gate.asking(WANTED, 21.0), Asking)


def test_nothing_is_remembered_of_very_long_questions_or_without_a_time() -> None:
    long = Attributes(ALICE, "get", resource="pods", name="x" * 10_000)
    gate = webhook(authorized_ttl=0.0)
    for wanted in (long, WANTED):
        gate.answered(asked(gate, wanted), b'{"status":{"allowed":true}}', 0.0)
        assert isinstance(gate.asking(wanted, 0.0), Asking)


def test_another_question_has_another_answer() -> None:
    gate = webhook()
    answered(gate, {"status": {"allowed": True}})
    assert isinstance(gate.asking(Attributes(User("bob"), "list", "apps", "deployments"), 0.0), Asking)


def test_a_failure_is_not_remembered() -> None:
    gate = webhook()
    answered(gate, b"no")
    assert isinstance(gate.asking(WANTED, 0.0), Asking)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        (("request.user == 'alice'",), "asked"),
        (("request.user == 'bob'",), "left out"),
        (("has(request.resourceAttributes) && request.resourceAttributes.namespace == 'shop'",), "asked"),
        (("has(request.nonResourceAttributes)",), "left out"),
        (("'dev' in request.groups", "request.extra['scope'] == ['x']"), "asked"),
        (("request.nonResourceAttributes.path == '/x'",), "failed"),
        (("request.nonResourceAttributes.path == '/x'", "request.user == 'bob'"), "left out"),
        (("!has(request.resourceAttributes.fieldSelector)",), "asked"),
    ],
)
def test_conditions_say_whether_it_is_asked(conditions: tuple[str, ...], wanted: str) -> None:
    found = webhook(conditions=conditions, denies_on_failure=True).asking(WANTED, 0.0)
    if wanted == "asked":
        assert isinstance(found, Asking)
        return
    assert isinstance(found, Answer)
    assert found.opinion is (Opinion.DENY if wanted == "failed" else Opinion.NO_OPINION)
    assert bool(found.error) is (wanted == "failed")
