"""A List is read as its items would be on their own: workloads, waivers, policies."""

from __future__ import annotations

import json
from typing import Any

from podward.api.report import in_order
from podward.check.judging import judge
from podward.check.policy_set import PolicySet
from podward.cli.checking.examination import judge_files
from podward.cli.checking.reading import parse_file
from podward.path import path
from podward.policy.pss.standard import Level, Standard


def workload(name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": name, "annotations": {"check.podward.dev/waive": "pss/privileged until 2099-01-31: it must be"}}
    spec = {"template": {"spec": {"containers": [{"name": name, "image": "a", **fields}]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
VALID = [workload("a", securityContext={"privileged": True}), NAMESPACE, workload("b"), workload("c", tty=True)]


def content(*items: dict[str, Any]) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}).encode()


def test_valid_items_are_known_without_looking_at_them_in_full() -> None:
    file = parse_file(content(*VALID), "list.json")
    assert [one.known_valid for one in file.workloads] == [True, True, True]
    assert [one.subject.name for one in file.workloads] == ["a", "b", "c"]
    assert [one.source.prefix for one in file.workloads] == [
        path("items", index, "spec", "template") for index in (0, 2, 3)
    ]
    assert [item.kind for item in file.policies] == ["Namespace"]


def test_the_findings_are_those_of_looking_at_them_in_full() -> None:
    file, held = parse_file(content(*VALID), "list.json"), PolicySet({}, Standard(Level.RESTRICTED))
    found = judge_files([file], held).findings
    assert found == in_order(
        finding for one in file.workloads for finding in judge(one.source, one.document, held).findings
    )
    assert {finding.path.segments[1] for finding in found} == {0, 2, 3}


def test_one_item_that_is_not_valid_has_all_looked_at_in_full() -> None:
    file = parse_file(content(*VALID, workload("d", image="")), "list.json")
    assert [one.known_valid for one in file.workloads] == [False] * 4
    assert [one.subject.name for one in file.workloads] == ["a", "b", "c", "d"]


def test_waivers_on_items_hold() -> None:
    quickly = parse_file(content(*VALID), "list.json")
    in_full = parse_file(content(*VALID, workload("d", image="")), "list.json")
    assert quickly.waivers == in_full.waivers[:3]
    assert (quickly.findings, len(quickly.waivers)) == ((), 3)
