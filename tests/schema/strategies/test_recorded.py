"""What a real API server has refused: each request with what it was told, as the fields and the reasons."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.schema.strategies import flow
from podward.schema.strategies.registry import strategy_of

RECORDED = Path(__file__).parents[2] / "golden" / "refused_shared.jsonl.gz"


class Case(msgspec.Struct):
    """An object, what was stored before, and what is wrong."""

    group: str
    plural: str
    subresource: str
    name: str
    new: JsonObject
    old: JsonObject | None
    causes: list[list[str]]


CASES = [Case(**json.loads(line)) for line in gzip.decompress(RECORDED.read_bytes()).splitlines()]


def refused(case: Case) -> Decision:
    strategy = strategy_of(case.group, case.plural, case.subresource)
    if case.old is None:
        return flow.refused_new(strategy, strategy.prepare_for_create(case.new))
    return flow.refused_change(strategy, flow.prepared_change(strategy, case.new, case.old), case.old)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.plural} {case.name}")
def test_is_refused_as_the_server_refuses_it(case: Case) -> None:
    told = [[str(violation.path) or "<nil>", violation.reason] for violation in refused(case).violations]
    assert told == case.causes
