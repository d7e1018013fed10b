"""`$(NAME)` in command, args and env, as Kubernetes expands it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.core import Container, EnvVar, FieldRef, ObjectMeta, Pod, ValueFrom
from podward.api.cri import ContainerConfig
from podward.api.effective import Place
from podward.api.node import Node
from podward.api.oci import LONGEST_STRING
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.path import path
from podward.policy.kubelet import environment

POD = Pod(metadata=ObjectMeta(name="p", namespace="n", uid="u", labels={"app": "web"}))
PLACE = Place("pod.yaml", container=path("spec", "containers", 0))


def config_of(container: Container) -> ContainerConfig:
    decision = environment.decide(PodFacts(POD, PLACE, ip="10.0.0.1"), container, PLACE)
    assert not decision.refused
    return decision.fold(ContainerConfig)


def test_known_names_are_replaced_unknown_ones_stay_and_doubled_dollars_are_one() -> None:
    known = {"A": "x", "B": "$(A)"}
    expected = {"$(A)": "x", "$(NO)": "$(NO)", "$$(A)": "$(A)", "$$$(A)": "$x", "$": "$", "$(": "$(", "$(B)": "$(A)"}
    assert {text: environment.expand(text, known) for text in expected} == expected


def test_a_variable_sees_only_those_before_it() -> None:
    config = config_of(Container(env=(EnvVar("B", "$(A)"), EnvVar("A", "x"), EnvVar("C", "$(A)$(B)")), args=("$(C)",)))
    assert [(row.key, row.value) for row in config.envs] == [("B", "$(A)"), ("A", "x"), ("C", "x$(A)")]
    assert config.args == ("x$(A)",)


def test_of_a_name_written_twice_the_last_counts_at_its_place() -> None:
    config = config_of(Container(env=(EnvVar("A", "1"), EnvVar("B", "2"), EnvVar("A", "3"))))
    assert [(row.key, row.value) for row in config.envs] == [("B", "2"), ("A", "3")]


def test_variables_of_services_are_known_before_and_stand_behind_the_containers_own() -> None:
    objects = ReferencedObjects(service_variables={"DB_SERVICE_HOST": "10.0.0.7", "DB_PORT": "tcp://10.0.0.7:5432"})
    env = (EnvVar("URL", "http://$(DB_SERVICE_HOST)"), EnvVar("DB_PORT", "mine"), EnvVar("PORT", "$(DB_PORT)"))
    container = Container(env=env, args=("$(DB_SERVICE_HOST)", "$(DB_PORT)"))

    decision = environment.decide(PodFacts(POD, PLACE, objects), container, PLACE)

    config = decision.fold(ContainerConfig)
    assert [f"{row.key}={row.value}" for row in config.envs] == [
        "URL=http://10.0.0.7",
        "DB_PORT=mine",
        "PORT=mine",
        "DB_SERVICE_HOST=10.0.0.7",
    ]
    assert config.args == ("10.0.0.7", "mine")


def test_downward_fields_come_from_the_pod() -> None:
    fields = ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels['app']", "status.podIP")
    env = tuple(EnvVar(f"V{i}", value_from=ValueFrom(FieldRef(field))) for i, field in enumerate(fields))
    assert [row.value for row in config_of(Container(env=env)).envs] == ["p", "n", "u", "web", "10.0.0.1"]


def test_downward_fields_tell_of_the_node_and_of_all_addresses() -> None:
    fields = ("spec.nodeName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")
    env = tuple(EnvVar(f"V{i}", value_from=ValueFrom(FieldRef(field))) for i, field in enumerate(fields))
    node = Node(capabilities=0, name="n1", addresses=("10.1.0.1", "fd00::1"))
    decision = environment.decide(PodFacts(POD, PLACE, node=node, ip="10.2.0.9,fd00::9"), Container(env=env), PLACE)
    values = [row.value for row in decision.fold(ContainerConfig).envs]
    assert values == ["n1", "10.1.0.1", "10.1.0.1,fd00::1", "10.2.0.9", "10.2.0.9,fd00::9"]


def test_a_value_that_needs_an_api_server_is_refused_where_it_is_written() -> None:
    decision = environment.decide(PodFacts(POD, PLACE), Container(env=(EnvVar("S", value_from=ValueFrom()),)), PLACE)
    (violation,) = decision.violations
    assert str(violation.path) == "spec.containers[0].env[0].valueFrom"


@given(st.text(alphabet="$()AB", max_size=12))
def test_text_without_names_is_never_lost(text: str) -> None:
    expanded = environment.expand(text, {})
    assert expanded.count("A") == text.count("A")
    assert environment.expand(text.replace("$", "$$"), {"A": "x", "B": "y"}) == text


def test_variables_that_double_each_other_stay_within_what_execve_takes() -> None:
    env = (EnvVar("A0", "xx"), *(EnvVar(f"A{i}", f"$(A{i - 1})$(A{i - 1})") for i in range(1, 41)))
    rows = {row.key: row.value for row in config_of(Container(env=env, args=("$(A40)",))).envs}
    assert len(rows["A15"]) == 65536
    assert LONGEST_STRING < len(rows["A40"]) <= 4 * LONGEST_STRING, "longer than execve takes, and not much"


@pytest.mark.parametrize("field", ["env", "args", "command"])
def test_a_container_whose_texts_expand_without_end_is_refused(field: str) -> None:
    big = EnvVar("A", "x" * LONGEST_STRING)
    if field == "env":
        container = Container(env=(big, *(EnvVar(f"B{i}", "$(A)") for i in range(10_000))))
    else:
        words = ("$(A)",) * 10_000
        container = Container(env=(big,), args=words) if field == "args" else Container(env=(big,), command=words)
    (violation,) = environment.decide(PodFacts(POD, PLACE), container, PLACE).violations
    assert "E2BIG" in violation.reason
    assert str(violation.path).startswith(f"spec.containers[0].{field}")
