"""SCCs are defaulted as OpenShift's own code did it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject
from podward.cli.questions import sccdefaults
from podward.errors import InputError
from podward.path import path
from podward.schema.scc.defaults import VOLUME_TYPES, decide_defaults, defaulted
from podward.schema.scc.encoding import encoded

GOLDEN = File(__file__).parents[2] / "golden" / "sccdefaults_shared.jsonl.gz"


def plain(value: Json) -> Json:
    """The value without null members: null and absent are the same in these recordings."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def asked(scc: Json) -> JsonObject:
    return sccdefaults.answer(json.dumps({"id": 1, "scc": scc}).encode()).scc


def test_every_recorded_scc_is_defaulted_as_openshift_did() -> None:
    with gzip.open(GOLDEN, "rt") as file:
        cases = [json.loads(line) for line in file]
    assert len(cases) == 400
    for case in cases:
        assert plain(asked(case["input"]["scc"])) == plain(case["expected"]["scc"]), case["id"]


@pytest.mark.parametrize(
    ("volumes", "host_path", "stored"),
    [
        (None, True, ["*"]),
        (None, False, [name for name in VOLUME_TYPES if name != "hostPath"]),
        (["*"], False, [name for name in VOLUME_TYPES if name != "hostPath"]),
        (["*", "hostPath"], True, ["*", "hostPath"]),
        ([], True, ["hostPath"]),
        ([], False, ["none"]),
        (["none"], True, ["hostPath", "none"]),
        (["hostPath"], False, []),
        (["secret", "emptyDir", "secret"], False, ["emptyDir", "secret"]),
        (["secret", "of-the-future"], True, ["hostPath", "of-the-future", "secret"]),
        (["*", "of-the-future"], False, sorted({*VOLUME_TYPES, "of-the-future"} - {"hostPath"})),
    ],
)
def test_volumes_agree_with_the_flag_which_wins(volumes: Json, stored: list[str], *, host_path: bool) -> None:
    assert defaulted({"volumes": volumes, "allowHostDirVolumePlugin": host_path})["volumes"] == stored


def test_volumes_that_agree_already_are_left_alone() -> None:
    raw: JsonObject = {"volumes": ["emptyDir", "secret"]}
    assert all(str(assignment.path) != "volumes" for assignment in decide_defaults(raw).assignments)


def test_a_list_with_host_path_is_only_sorted_where_the_flag_allows_it() -> None:
    raw: JsonObject = {"volumes": ["secret", "hostPath"], "allowHostDirVolumePlugin": True}
    volumes = decide_defaults(raw).assignment(path("volumes"))
    assert volumes is not None
    assert (volumes.value, volumes.reason) == (["hostPath", "secret"], "sorted, each type once")


def test_a_strategy_without_type_allows_any_group_and_keeps_its_ranges() -> None:
    ranges: Json = [{"min": 1, "max": 2}]
    assert defaulted({"fsGroup": {"type": "", "ranges": ranges}})["fsGroup"] == {"type": "RunAsAny", "ranges": ranges}


def test_what_is_not_known_survives_defaulting_and_the_input_stays_as_it_is() -> None:
    raw: JsonObject = {"metadata": {"name": "a"}, "ofTheFuture": {"deep": [1, None]}, "users": None}
    before = json.dumps(raw)
    assert defaulted(raw)["ofTheFuture"] == {"deep": [1, None]}
    assert json.dumps(raw) == before


def test_openshift_writes_out_only_what_its_type_has() -> None:
    raw: JsonObject = {
        "ofTheFuture": 1,
        "metadata": {"name": "a", "labels": {}, "generation": 0, "deletionGracePeriodSeconds": 0},
        "seccompProfiles": [],
        "allowedFlexVolumes": [{}, None],
        "userNamespaceLevel": "",
        "runAsUser": {"type": "MustRunAs", "uid": 0},
        "seLinuxContext": {"seLinuxOptions": {"level": "", "role": "r"}},
        "fsGroup": {"ranges": [{"min": 0, "max": 5}, None]},
        "users": [None],
        "allowPrivilegeEscalation": False,
    }
    written = plain(encoded(raw))
    assert written == {
        "metadata": {"name": "a", "deletionGracePeriodSeconds": 0},
        "allowPrivilegedContainer": False,
        "allowHostDirVolumePlugin": False,
        "allowedFlexVolumes": [{"driver": ""}, {"driver": ""}],
        "allowHostNetwork": False,
        "allowHostPorts": False,
        "allowHostPID": False,
        "allowHostIPC": False,
        "allowPrivilegeEscalation": False,
        "seLinuxContext": {"seLinuxOptions": {"role": "r"}},
        "runAsUser": {"type": "MustRunAs", "uid": 0},
        "supplementalGroups": {},
        "fsGroup": {"ranges": [{"max": 5}, {}]},
        "readOnlyRootFilesystem": False,
        "users": [""],
    }


WORDS = st.lists(st.sampled_from(("*", "none", "hostPath", "secret", "nfs", "x")), max_size=4)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "volumes": st.none() | WORDS,
            "allowHostDirVolumePlugin": st.none() | st.booleans(),
            "allowPrivilegeEscalation": st.none() | st.booleans(),
            "fsGroup": st.none() | st.fixed_dictionaries({}, optional={"type": st.sampled_from(("", "MustRunAs"))}),
            "users": st.none() | st.lists(st.text(max_size=2), max_size=2),
        },
    )
)
def test_what_is_stored_is_not_defaulted_again(raw: JsonObject) -> None:
    stored = defaulted(raw)
    again = decide_defaults(stored)
    # hostPath alone, taken away by the flag, leaves an empty list, which on the next write means `none`.
    expected = ["volumes"] if stored["volumes"] == [] else []
    assert [str(assignment.path) for assignment in again.assignments] == expected


@pytest.mark.parametrize("scc", [None, [], "restricted", {"priority": "high"}, {"volumes": "secret"}])
def test_what_is_no_scc_is_an_error_of_that_line(scc: Json) -> None:
    with pytest.raises(InputError) as caught:
        asked(scc)
    assert caught.value.where.startswith("scc")
