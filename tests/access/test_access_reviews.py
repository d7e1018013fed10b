"""What reviews may ask, and what their answers say."""

from __future__ import annotations

import pytest

from podward.access.access_reviews import Question, answered, question, rules_review
from podward.access.known_rules import KnownRules
from podward.access.objects import PolicyRule
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.decision import Origin, Source

ALICE = User("alice")
SOURCE = Source(Origin.POLICY, "x")
ASKED = Question(Attributes(ALICE, "get", resource="pods"), ("half of it",))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(Opinion.ALLOW, SOURCE, "yes"), {"allowed": True, "reason": "yes"}),
        (Answer(Opinion.DENY, SOURCE, "no"), {"allowed": False, "denied": True, "reason": "no"}),
        (Answer(), {"allowed": False}),
        (Answer(error="lost"), {"allowed": False, "evaluationError": "lost; half of it"}),
    ],
)
def test_the_answer_is_the_status(answer: Answer, status: JsonObject) -> None:
    assert answered({}, ASKED, answer)["status"] == {"evaluationError": "half of it", **status}


def test_a_self_review_is_about_the_caller_and_others_about_whom_they_name() -> None:
    asked: JsonObject = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    own = question("SelfSubjectAccessReview", {"spec": asked}, ALICE, "")
    other = question("SubjectAccessReview", {"spec": {**asked, "user": "bob"}}, ALICE, "")
    assert isinstance(own, Question)
    assert isinstance(other, Question)
    assert (own.attributes.user.username, other.attributes.user.username) == ("alice", "bob")


def test_a_local_review_is_asked_in_its_namespace() -> None:
    spec: JsonObject = {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "a"}}
    asked: JsonObject = {"metadata": {"namespace": "a"}, "spec": spec}
    assert isinstance(question("LocalSubjectAccessReview", asked, ALICE, "a"), Question)
    found = question("LocalSubjectAccessReview", asked, ALICE, "b")
    assert isinstance(found, Status)
    assert found.message == "spec.resourceAttributes.namespace must match namespace: b"


def test_rules_are_listed_with_what_could_not_be_found_out() -> None:
    rule = PolicyRule(verbs=("get",), api_groups=("",), resources=("pods",))
    path = PolicyRule(verbs=("get",), non_resource_urls=("/metrics",))
    known = KnownRules((rule, path), ("a", "b"), incomplete=True)
    assert rules_review({"spec": {"namespace": "shop"}}, known) == {
        "spec": {},
        "status": {
            "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}],
            "incomplete": True,
            "evaluationError": "[a, b]",
        },
    }
