"""What is not computed for speed's sake changes no answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from podward.api.core import Pod
from podward.check import hinting
from podward.documents.document import Document
from podward.schema.defaulting import defaulted
from podward.schema.view import pod_view
from podward.schema.workload import PodSource, pod_sources

IDS = st.sampled_from((None, 0, 1000, 2000))
CONFINED = {"seccompProfile": {"type": "RuntimeDefault"}}
ADDS = {"runAsUser": 1000, "capabilities": {"add": ["NET_ADMIN"]}}
PROFILES = st.sampled_from((None, {}, {"type": "RuntimeDefault"}, {"type": "Unconfined"}))
OPTIONS = st.sampled_from((None, {}, {"level": "s0"}))
CAPABILITIES = st.sampled_from((None, {}, {"add": ["NET_ADMIN"]}, {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}))
SHARED = {
    "runAsUser": IDS,
    "runAsGroup": IDS,
    "runAsNonRoot": st.sampled_from((None, True)),
    "seccompProfile": PROFILES,
    "appArmorProfile": PROFILES,
    "seLinuxOptions": OPTIONS,
}
OWN = st.fixed_dictionaries({**SHARED, "capabilities": CAPABILITIES, "privileged": st.sampled_from((None, True))})


LISTS = st.sampled_from(("containers", "initContainers", "ephemeralContainers"))


def pods(
    above: dict[str, Any] | None, own: dict[str, Any] | None, *, host: bool | None = None, listed: str = "containers"
) -> tuple[PodSource, Pod]:
    """A Pod with a container that has its own context in this list, and another one, as written and as stored."""
    raw: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {
            "hostNetwork": host,
            "securityContext": above,
            "containers": [{"name": "other", "image": "b:1"}],
        },
    }
    raw["spec"].setdefault(listed, []).append({"name": "app", "image": "a:1", "securityContext": own})
    (source,) = pod_sources(Document("pod.yaml", raw))
    return source, pod_view(defaulted(source.raw)[0])


@given(
    above=st.none() | st.fixed_dictionaries(SHARED),
    own=st.none() | OWN,
    host=st.sampled_from((None, True)),
    listed=LISTS,
)
@example(above=CONFINED, own=ADDS, host=None, listed="containers")
@example(above=CONFINED, own={"seccompProfile": {}}, host=None, listed="containers")
@example(above={**CONFINED, "runAsGroup": 5}, own=None, host=None, listed="containers")
@example(above=CONFINED, own={"runAsGroup": 5}, host=None, listed="initContainers")
@example(above=CONFINED, own={"runAsGroup": 5}, host=None, listed="ephemeralContainers")
def test_no_hint_is_lost(
    above: dict[str, Any] | None, own: dict[str, Any] | None, *, host: bool | None, listed: str
) -> None:
    source, pod = pods(above, own, host=host, listed=listed)
    sooner = hinting.hints(source, pod)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hinting, "may_be_hinted", lambda *_: True)
        patched.setattr(hinting, "_KNOWN", {})
        assert hinting.hints(source, pod) == sooner


def test_what_was_computed_for_one_pod_is_not_told_of_another() -> None:
    own = {"capabilities": {"add": ["NET_ADMIN"]}}
    problems = [
        [hint.problem for hint in hinting.hints(*pods({**CONFINED, "runAsUser": uid}, own))] for uid in (1000, 2000, 0)
    ]
    assert ["uid 1000 " in "".join(problems[0]), "uid 2000 " in "".join(problems[1])] == [True, True]
    assert problems[2] == []
