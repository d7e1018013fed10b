"""The world of a manifest alone: its image is unknown, and a question about ordinary programs supposes one."""

from __future__ import annotations

import msgspec

from podward.api.effective import Place
from podward.api.image import UnknownImage
from podward.api.json_value import Json
from podward.check.assumed_facts import AssumedFacts, OrdinaryProgram
from podward.decision import Unknown
from podward.pipeline import ContainerPlan, predict_pod
from podward.schema.view import pod_view


def explained(facts: type[AssumedFacts], context: dict[str, Json]) -> ContainerPlan:
    container: Json = {"name": "a", "image": "a:1", "securityContext": context}
    pod = pod_view({"metadata": {"name": "p"}, "spec": {"containers": [container]}})
    (plan,) = predict_pod(facts(pod, Place("pod.yaml"))).containers
    return plan


def test_the_image_and_its_entry_are_unknown() -> None:
    plan = explained(AssumedFacts, {"runAsUser": 5})
    assert isinstance(plan.image, UnknownImage)
    assert isinstance(plan.entry, Unknown)
    assert plan.image.name == "a:1"
    assert plan.predicted is None
    assert not plan.refusals.refused


def test_an_ordinary_program_has_what_the_manifest_gives_any() -> None:
    plan = explained(OrdinaryProgram, {"runAsUser": 5, "capabilities": {"add": ["NET_ADMIN"]}})
    assert plan.predicted is not None
    assert plan.predicted.value.cap_permitted == 0
    assert plan.predicted.value.cap_bounding != 0
    assert msgspec.json.encode(plan.predicted.value)
