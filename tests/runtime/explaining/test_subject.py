"""A Pod to explain says which ephemeral containers admission keeps out of it."""

from __future__ import annotations

from podward.api.effective import Place
from podward.decision import Decision, Origin, Source, Violation
from podward.path import path
from podward.runtime.explaining.subject import PodToExplain
from podward.schema.view import pod_view

POD = pod_view({"spec": {"containers": [{"name": "c"}], "ephemeralContainers": [{"name": "a"}, {"name": "b"}]}})
HERE = Place("f.yaml", path("items", 0))
SECOND = path("items", 0, "spec", "ephemeralContainers", 1)


def test_a_refused_debug_container_is_not_run_and_the_others_are() -> None:
    refused = Violation(SECOND, None, "no", Source(Origin.POLICY, "PodSecurity"))
    subject = PodToExplain(POD, HERE, "Pod", "p", Decision(), debugging=Decision(violations=(refused,)))
    assert subject.refusals_of(SECOND) == (refused,)
    assert [each.name for each in subject.without_refused().pod.spec.ephemeral_containers or ()] == ["a"]
    assert [each.name for each in subject.pod.spec.ephemeral_containers or ()] == ["a", "b"]


def test_a_pod_of_which_nothing_is_refused_is_run_as_it_is() -> None:
    subject = PodToExplain(POD, HERE, "Pod", "p", Decision())
    assert subject.without_refused() is subject
