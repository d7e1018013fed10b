"""Events of a Node: what a change of its status tells."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.policy.kubelet import node_events
from podward.policy.kubelet.pod_events import PodEvent


def status(ready: str = "True", boot: str = "one", **others: str) -> JsonObject:
    conditions = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", **others, "Ready": ready}
    return {
        "conditions": [{"type": kind, "status": word} for kind, word in conditions.items()],
        "nodeInfo": {"bootID": boot},
    }


def test_of_a_new_node_each_condition_is_told() -> None:
    told = node_events.of("n1", {}, status())
    assert [event.reason for event in told] == [
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeReady",
    ]
    assert told[-1] == PodEvent("Normal", "NodeReady", "Node n1 status is now: NodeReady")


def test_of_a_known_node_what_has_changed_is_told() -> None:
    assert node_events.of("n1", status(), status()) == []
    lost = node_events.of("n1", status(), status("False", DiskPressure="True"))
    assert [event.reason for event in lost] == ["NodeHasDiskPressure", "NodeNotReady"]


def test_a_machine_that_was_started_anew_is_told_of() -> None:
    told = node_events.of("n1", status(), status(boot="two"))
    assert told == [PodEvent("Warning", "Rebooted", "Node n1 has been rebooted, boot id: two")]
