"""Variables out of Secrets, ConfigMaps and resources: which there are, and what keeps a container from starting."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.content import ContentObject
from podward.api.cri import KeyValue
from podward.api.effective import Place
from podward.api.node import Node
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Decision, Unknown
from podward.path import path
from podward.policy.kubelet import environment
from podward.schema.view import pod_view

OBJECTS = ReferencedObjects(
    {
        ("Secret", "shop", "db"): ContentObject("Secret", "shop", "db", {"password": b"carrot", "raw": b"\xff"}),
        ("Secret", "shop", "odd"): ContentObject("Secret", "shop", "odd", {"nul": b"a\0b"}),
        ("ConfigMap", "shop", "app"): ContentObject(
            "ConfigMap", "shop", "app", {"mode": b"fast", "blob": b"x"}, frozenset(("mode",))
        ),
    }
)
PLACE = Place("pod.yaml", container=path("spec", "containers", 0))


def decided(container: dict[str, Any], objects: ReferencedObjects = OBJECTS, **spec: object) -> Decision:
    raw: dict[str, Any] = {
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", **container}], **spec},
    }
    pod = pod_view(raw)
    (view,) = pod.spec.containers or ()
    return environment.decide(PodFacts(pod, PLACE, objects, Node(capabilities=0, cpus=4)), view, PLACE)


def variables(container: dict[str, Any], **spec: object) -> dict[str, str]:
    found = decided(container, OBJECTS, **spec)
    assert not found.refused, found.violations
    return {a.value.key: a.value.value for a in found.assignments if isinstance(a.value, KeyValue)}


def test_keys_become_variables_and_only_text_of_a_config_map_does() -> None:
    sources = [{"configMapRef": {"name": "app"}, "prefix": "APP_"}, {"secretRef": {"name": "gone", "optional": True}}]
    assert variables({"envFrom": sources}) == {"APP_mode": "fast"}


def test_later_values_expand_those_of_secrets_and_env_replaces_env_from() -> None:
    env = [
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
        {"name": "URL", "value": "$(P)@$(mode)"},
        {"name": "mode", "value": "slow"},
        {"name": "no", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "none", "optional": True}}},
    ]
    found = variables({"envFrom": [{"configMapRef": {"name": "app"}}], "env": env})
    assert found == {"P": "carrot", "URL": "carrot@fast", "mode": "slow"}


def test_a_resource_of_the_container_itself() -> None:
    reference = {"resource": "limits.cpu"}
    env = [{"name": "CPUS", "valueFrom": {"resourceFieldRef": reference}}]
    assert variables({"env": env}) == {"CPUS": "4"}
    assert variables({"env": env, "resources": {"limits": {"cpu": "1500m"}}}) == {"CPUS": "2"}


@pytest.mark.parametrize(("own", "cpus"), [({}, "3"), ({"cpu": "0"}, "3"), ({"cpu": "1"}, "1")])
def test_a_limit_that_the_container_has_not_is_the_pods(own: dict[str, str], cpus: str) -> None:
    env = [{"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]
    of_pod = {"limits": {"cpu": "2500m"}}
    assert variables({"env": env, "resources": {"limits": own}}, resources=of_pod) == {"CPUS": cpus}
    asked = [{"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}}]
    assert variables({"env": asked}, resources={"requests": {"cpu": "2"}}) == {"CPUS": "0"}


@pytest.mark.parametrize(
    ("container", "place", "sentence"),
    [
        ({"envFrom": [{"secretRef": {"name": "gone"}}]}, "envFrom[0].secretRef.name", 'secret "gone" not found'),
        ({"envFrom": [{"configMapRef": {"name": "x"}}]}, "envFrom[0].configMapRef.name", 'configmap "x" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "passwrd"}}}]},
            "env[0].valueFrom.secretKeyRef.key",
            "couldn't find key passwrd in Secret shop/db",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "blob"}}}]},
            "env[0].valueFrom.configMapKeyRef.key",
            "couldn't find key blob in ConfigMap shop/app",
        ),
    ],
)
def test_what_is_missing_is_awaited_with_the_kubelets_words(
    container: dict[str, Any], place: str, sentence: str
) -> None:
    made = decided(container)
    (violation,) = made.violations
    assert str(violation.path) == f"spec.containers[0].{place}"
    assert violation.reason.startswith(f"CreateContainerConfigError: {sentence}: ")
    assert not made.final


@pytest.mark.parametrize(("name", "key"), [("db", "raw"), ("odd", "nul")])
def test_what_no_variable_can_hold_is_refused_without_its_value(name: str, key: str) -> None:
    made = decided({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}]})
    (violation,) = made.violations
    assert made.final
    assert "\\xff" not in repr(violation)
    assert "a\0b" not in violation.reason


def test_objects_that_nobody_knows_give_no_variable_and_refuse_nothing() -> None:
    objects = ReferencedObjects(others=Unknown("not looked at", "look"))
    made = decided({"envFrom": [{"secretRef": {"name": "db"}}]}, objects)
    assert (made.assignments, made.violations) == ((), ())
