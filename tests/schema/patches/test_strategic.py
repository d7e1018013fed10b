"""Strategic merge patches: merge keys, sets of scalars, directives, and what is refused."""

from __future__ import annotations

import time
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject, copied_object
from podward.schema.malformed import Malformed
from podward.schema.patches.strategic import strategic_patched

POD: JsonObject = {
    "metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x/a", "x/b", "x/c"]},
    "spec": {
        "containers": [
            {"name": "a", "image": "x", "args": ["1"], "ports": [{"containerPort": 80}, {"containerPort": 81}]},
            {"name": "b", "image": "y"},
            {"name": "c", "image": "z"},
        ],
        "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
    },
}


def patched(patch: JsonObject, kind: str = "Pod", value: JsonObject = POD) -> JsonObject:
    before = copied_object(value)
    found = strategic_patched(kind, value, patch)
    assert value == before, "it is not changed"
    assert not isinstance(found, Malformed), found
    return found


def spec_of(value: JsonObject) -> dict[str, list[JsonObject]]:
    """The spec; its lists are of objects in these tests."""
    return cast("dict[str, list[JsonObject]]", value["spec"])


def of_spec(patch: JsonObject) -> dict[str, list[JsonObject]]:
    return spec_of(patched({"spec": patch}))


def names(patch: Json, **directives: Json) -> str:
    given: JsonObject = {f"$setElementOrder/{name}": value for name, value in directives.items()}
    if patch is not None:
        given["containers"] = patch
    return "".join(str(each["name"]) for each in of_spec(given)["containers"])


def test_objects_are_merged_and_null_takes_away() -> None:
    found = patched({"metadata": {"labels": {"a": None, "c": "3"}}, "spec": {"nodeName": "n", "hostname": None}})
    assert found["metadata"]["labels"] == {"b": "2", "c": "3"}  # type: ignore[call-overload, index]
    assert found["spec"] == {**POD["spec"], "nodeName": "n"}  # type: ignore[dict-item]


def test_items_are_merged_by_their_key_and_other_lists_replaced() -> None:
    found = of_spec({"containers": [{"name": "a", "args": ["2"], "ports": [{"containerPort": 81, "name": "p"}]}]})
    assert found["containers"][0] == {
        "name": "a",
        "image": "x",
        "args": ["2"],
        "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "p"}],
    }


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"name": "b"}], "abc"),
        ([{"name": "c"}, {"name": "a"}], "bca"),
        ([{"name": "d"}], "dabc"),
        ([{"name": "d"}, {"name": "b"}], "dabc"),
        ([{"$patch": "delete", "name": "b"}], "ac"),
        ([{"$patch": "delete", "name": "nope"}], "abc"),
        ([{"$patch": "replace"}, {"name": "z"}], "z"),
        ([{"$patch": "replace"}], ""),
        ([], "abc"),
    ],
)
def test_the_order_of_merged_items(patch: Json, expected: str) -> None:
    assert names(patch) == expected


@pytest.mark.parametrize(
    ("patch", "order", "expected"),
    [
        (None, "cba", "cba"),
        (None, "ca", "bca"),
        ([{"name": "d"}], "adbc", "adbc"),
        ([{"name": "c", "image": "q"}], "cab", "cab"),
        ([{"$patch": "delete", "name": "b"}], "ca", "ca"),
        ([{"$patch": "delete", "name": "a"}, {"name": "n"}], "bn", "bcn"),
        ([{"$patch": "delete", "name": "a"}, {"name": "n"}, {"name": "o"}], "no", "bcno"),
        ([{"name": "n"}], "bn", "abnc"),
    ],
)
def test_a_directive_orders_a_list(patch: Json, order: str, expected: str) -> None:
    assert names(patch, containers=[{"name": each} for each in order]) == expected


def test_sets_of_scalars() -> None:
    found = patched({"metadata": {"finalizers": ["x/d", "x/a"]}})["metadata"]
    assert sorted(found["finalizers"]) == ["x/a", "x/b", "x/c", "x/d"]  # type: ignore[call-overload, index, arg-type]
    deleted = patched({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/b", "nope"]}})["metadata"]
    assert deleted["finalizers"] == ["x/a", "x/c"]  # type: ignore[call-overload, index]
    ordered = patched({"metadata": {"$setElementOrder/finalizers": ["x/c", "x/a"], "finalizers": ["x/a"]}})["metadata"]
    assert [each for each in ordered["finalizers"] if each != "x/b"] == ["x/c", "x/a"]  # type: ignore[call-overload, index, union-attr]


def test_only_listed_keys_are_retained() -> None:
    volume: JsonObject = {"name": "v", "secret": {"secretName": "s"}, "$retainKeys": ["name", "secret"]}
    assert of_spec({"volumes": [volume]})["volumes"] == [{"name": "v", "secret": {"secretName": "s"}}]


def test_directives_of_objects() -> None:
    assert patched({"metadata": {"labels": {"$patch": "replace", "z": "1"}}})["metadata"]["labels"] == {"z": "1"}  # type: ignore[call-overload, index]
    assert patched({"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}  # type: ignore[call-overload, index]
    found = patched({"metadata": {"annotations": {"$patch": "replace", "z": "1"}}})["metadata"]
    assert "annotations" not in found  # type: ignore[operator]


def test_nulls_and_directives_in_what_is_new_are_left_out() -> None:
    new: JsonObject = {
        "securityContext": {"runAsUser": None, "sysctls": [{"name": "s", "value": None}, {"$patch": "delete"}]}
    }
    assert patched({"spec": new}, value={}) == {"spec": {"securityContext": {"sysctls": [{"name": "s"}]}}}


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ({"containers": [{"image": "q"}]}, 500, "map: map[image:q] does not contain declared merge key: name"),
        (
            {"containers": [{"$patch": "delete"}]},
            500,
            "map: map[$patch:delete] does not contain declared merge key: name",
        ),
        ({"containers": [{"$patch": "merge", "name": "a"}]}, 500, "merging lists cannot yet be specified in the patch"),
        ({"containers": [{"$patch": "x", "name": "a"}]}, 500, "unknown patch type: x in map: map[$patch:x name:a]"),
        ({"$patch": "smash"}, 500, "unknown patch type: smash in map: map[$patch:smash]"),
        ({"containers": [1]}, 500, None),
        (
            {"$setElementOrder/nope": [], "x": 1},
            500,
            'unable to find api field in struct PodSpec for the json field "nope"',
        ),
        ({"$setElementOrder/containers": 1}, 500, "expected a []interface {}, but received a int64"),
        (
            {
                "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                "containers": [{"name": "a"}, {"name": "b"}],
            },
            500,
            None,
        ),
        ({"$setElementOrder": []}, 400, "invalid patch format of setElementOrder list"),
        ({"$deleteFromPrimitiveList": []}, 400, "invalid patch format of primitive list"),
        ({"$retainKeys": "x"}, 400, "invalid patch format of retainKeys"),
        ({"$retainKeys": ["volumes"], "nodeName": "n"}, 400, "invalid patch format of retainKeys"),
    ],
)
def test_what_is_refused(patch: JsonObject, code: int, message: str | None) -> None:
    found = strategic_patched("Pod", POD, {"spec": patch})
    assert isinstance(found, Malformed)
    assert found.code == code
    assert message is None or found.message == message


ITEMS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"image": st.sampled_from("xy")}),
    max_size=3,
    unique_by=lambda item: item["name"],
)


@given(ITEMS, ITEMS)
def test_a_patch_of_items_twice_is_as_once(before: list[JsonObject], items: list[JsonObject]) -> None:
    value: JsonObject = {"spec": {"containers": [*before]}}
    patch: JsonObject = {"spec": {"containers": [*items]}}
    once = patched(patch, value=value)
    assert patched(patch, value=once) == once
    found = {each["name"] for each in spec_of(once)["containers"]}
    assert found == {each["name"] for each in before} | {each["name"] for each in items}


def test_long_lists_are_merged_in_the_time_that_they_take_to_read() -> None:
    many: list[Json] = [{"name": f"c{at}"} for at in range(20_000)]
    started = time.process_time()
    patched({"spec": {"containers": many}}, value={"spec": {"containers": many[::-1]}})
    assert time.process_time() - started < 5
