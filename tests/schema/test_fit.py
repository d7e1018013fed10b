"""The quick answer whether a document fits is the exact one's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.documents.document import Document
from podward.schema.fit import fits
from podward.schema.openshift import kinds  # noqa: F401  # its types come into the table
from podward.schema.strict import mistakes
from podward.schema.table import TYPES

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"a": "b"}, "creationTimestamp": "2026-01-31T12:00:00Z", "ownerReferences": []},
    "spec": {
        "hostNetwork": False,
        "activeDeadlineSeconds": 5,
        "securityContext": {"runAsUser": 1000, "supplementalGroups": [1, 2], "sysctls": [{"name": "a", "value": "b"}]},
        "containers": [
            {
                "name": "app",
                "ports": [{"containerPort": 80}],
                "livenessProbe": {"httpGet": {"port": "http"}},
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                "env": [{"name": "A", "value": None}],
                "args": ["a", None],
            }
        ],
        "volumes": [{"name": "v", "secret": {"secretName": "s", "defaultMode": 420}}],
    },
}
VALUES: st.SearchStrategy[object] = st.sampled_from(
    (None, True, 0, -1, 1 << 31, 1 << 63, 1.5, "", "x", "1Gi", "80", [], {}, [None], {"x": None}, [1], {"x": 1}, [{}])
)
NAMES = st.sampled_from(("name", "spec", "containers", "Name", "unknown", "env", "limits", "labels", "items", "kind"))


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [at, *(place for step, item in inside for place in places(item, (*at, step)))]


PLACES = [place for place in places(POD) if place[:1] not in {("kind",), ("apiVersion",)} and place]


def test_a_sound_pod_fits() -> None:
    assert fits(POD, "Pod")
    assert mistakes(Document("pod.yaml", POD)) == ()


@given(place=st.sampled_from(PLACES), value=VALUES, name=NAMES, add=st.booleans())
def test_what_fits_has_no_mistakes(place: tuple[str | int, ...], value: object, name: str, *, add: bool) -> None:
    raw = copy.deepcopy(POD)
    node: Any = raw
    for step in place[:-1]:
        node = node[step]
    if add and isinstance(node, dict) and name not in {"kind", "apiVersion"}:
        node[name] = value
    else:
        node[place[-1]] = value
    assert fits(raw, "Pod") == (not mistakes(Document("pod.yaml", raw)))


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_the_table_has_its_function(name: str) -> None:
    assert fits({}, name)
    assert fits(dict.fromkeys(TYPES[name]), name)
    assert not fits({"no such field": 1}, name)
    assert not fits([], name)
