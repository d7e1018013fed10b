"""managedFields after updates and applies: who owns what, conflicts, what goes, and what is kept from before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.builtin_types import builtin
from podward.schema.apply.conflicts import Conflicts
from podward.schema.apply.custom_types import custom
from podward.schema.apply.empty_objects import empty_object
from podward.schema.apply.field_set import decoded, intersection
from podward.schema.apply.managed import Applied, Versions, Write, after_apply, after_update, with_kept_times
from podward.schema.apply.reset_fields import builtin_filter
from podward.schema.apply.types import Type
from podward.schema.malformed import Malformed

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
UNFIT = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def write(kind: str, version: str, manager: str, subresource: str = "", now: str = NOW) -> Write:
    versions = Versions({version: builtin(kind)}, lambda value, _: value, empty_object(version, kind))
    resource = {"Deployment": "deployments.apps", "Pod": "pods", "ConfigMap": "configmaps"}[kind]
    return Write(versions, kind, version, manager, now, subresource, builtin_filter(resource, subresource))


def config_map(data: Json = None, **metadata: Json) -> JsonObject:
    value: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}
    return value if data is None else {**value, "data": data}


def stored(value: JsonObject) -> JsonObject:
    metadata = value["metadata"]
    assert isinstance(metadata, dict)
    return {**value, "metadata": {**metadata, "uid": "u", "resourceVersion": "1"}}


def entries(value: JsonObject) -> dict[str, Json]:
    """What each manager owns, by name, operation and subresource."""
    metadata = value["metadata"]
    assert isinstance(metadata, dict)
    listed = metadata.get("managedFields", [])
    assert isinstance(listed, list)
    found: dict[str, Json] = {}
    for entry in listed:
        assert isinstance(entry, dict)
        names = [str(entry[name]) for name in ("manager", "operation", "subresource") if name in entry]
        found[" ".join(names)] = entry["fieldsV1"]
    return found


def applied(writing: Write, live: JsonObject | None, patch: JsonObject, *, force: bool = False) -> JsonObject:
    found = after_apply(writing, live, patch, force=force)
    assert isinstance(found, Applied), found
    return stored(found.object)


def update(kind: str = "ConfigMap") -> Callable[[str, JsonObject | None, JsonObject], JsonObject]:
    def updated(manager: str, live: JsonObject | None, new: JsonObject) -> JsonObject:
        return stored(after_update(write(kind, "v1", manager), live, new))

    return updated


UPDATE = update()
CM = {manager: write("ConfigMap", "v1", manager) for manager in ("one", "two", "kubectl")}


def test_who_creates_owns_what_was_set_but_not_what_every_object_has() -> None:
    made = UPDATE("one", None, config_map({"a": "1"}, labels={"l": "x"}, namespace="n"))
    assert made["metadata"]["managedFields"] == [  # type: ignore[call-overload, index]
        {
            "manager": "one",
            "operation": "Update",
            "apiVersion": "v1",
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}},
        }
    ]


def test_who_sets_nothing_owns_nothing() -> None:
    assert "managedFields" not in after_update(CM["one"], None, config_map())["metadata"]  # type: ignore[operator]


def test_who_changes_a_field_takes_it_and_what_is_removed_leaves_everybody() -> None:
    made = UPDATE("one", None, config_map({"a": "1", "b": "1", "c": "1"}))
    changed = UPDATE("two", made, {**made, "data": {"a": "2", "b": "1"}})
    assert entries(changed) == {
        "one Update": {"f:data": {".": {}, "f:b": {}}},
        "two Update": {"f:data": {"f:a": {}}},
    }


def test_a_write_that_changes_nothing_keeps_the_times() -> None:
    made = UPDATE("one", None, config_map({"a": "1"}))
    again = after_update(write("ConfigMap", "v1", "one", now=LATER), made, made)
    assert again == made
    taken = applied(CM["one"], made, config_map({"a": "1"}), force=True)
    later = applied(write("ConfigMap", "v1", "one", now=LATER), taken, config_map({"a": "1"}))
    assert with_kept_times(taken, later) == taken


def test_times_of_another_write_do_not_count_unless_the_object_changed() -> None:
    made = UPDATE("one", None, config_map({"a": "1"}))
    entry = made["metadata"]["managedFields"][0]  # type: ignore[index, call-overload]
    newer: JsonObject = {**made, "metadata": {**made["metadata"], "managedFields": [{**entry, "time": LATER}]}}  # type: ignore[dict-item]
    assert with_kept_times(made, newer) == made
    assert with_kept_times(made, {**newer, "data": {"a": "2"}}) == {**newer, "data": {"a": "2"}}


def test_the_status_belongs_to_who_writes_it() -> None:
    spec: JsonObject = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}
    new: JsonObject = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": spec,
        "status": {"replicas": 3},
    }
    made = stored(after_update(write("Deployment", "apps/v1", "user"), None, new))
    assert entries(made) == {"user Update": {"f:spec": {"f:replicas": {}, "f:selector": {}}}}
    seen = after_update(
        write("Deployment", "apps/v1", "ctl", "status"), made, {**made, "status": {"replicas": 4}, "spec": {}}
    )
    assert entries(seen)["ctl Update status"] == {"f:status": {"f:replicas": {}}}
    assert entries(seen)["user Update"] == entries(made)["user Update"]


@pytest.mark.parametrize("sent", [[], [{}]])
def test_a_client_can_throw_managed_fields_away(sent: list[Json]) -> None:
    made = UPDATE("one", None, config_map({"a": "1"}))
    cleared = after_update(CM["two"], made, config_map({"a": "1"}, managedFields=sent))
    assert entries(cleared) == {}
    assert entries(UPDATE("two", stored(cleared), config_map({"a": "2"}))) == {}, (
        "it is not tracked until it is applied"
    )
    reborn = applied(CM["one"], stored(cleared), config_map({"b": "1"}))
    assert entries(reborn) == {
        "one Apply": {"f:data": {"f:b": {}}},
        "before-first-apply Update": {"f:data": {".": {}, "f:a": {}}},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"operation": "Steal"},
        {"apiVersion": ""},
        {"fieldsType": ""},
        {"fieldsType": "FieldsV2"},
        {"fieldsV1": {"q": {}}},
        {"fieldsV1": 1},
    ],
)
def test_managed_fields_that_make_no_sense_are_those_from_before(wrong: JsonObject) -> None:
    made = UPDATE("one", None, config_map({"a": "1"}))
    entry: JsonObject = {
        "manager": "evil",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {}},
        **wrong,
    }
    kept = after_update(CM["two"], made, config_map({"a": "1"}, managedFields=[entry]))
    assert entries(kept) == entries(made)


def test_managed_fields_that_make_sense_are_taken_but_not_by_a_subresource() -> None:
    made = UPDATE("one", None, config_map({"a": "1"}))
    entry: JsonObject = {
        "manager": "me",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:a": {}}},
    }
    new = config_map({"a": "1"}, managedFields=[entry])
    assert entries(after_update(CM["two"], made, new)) == {"me Apply": {"f:data": {"f:a": {}}}}
    assert entries(after_update(write("ConfigMap", "v1", "two", "status"), made, new)) == entries(made)


def test_more_than_ten_updaters_are_too_many() -> None:
    live = UPDATE("m00", None, config_map({"k00": "1"}))
    for number in range(1, 14):
        data: Json = {f"k{at:02}": "1" for at in range(number + 1)}
        live = stored(
            after_update(
                write("ConfigMap", "v1", f"m{number:02}", now=f"2026-01-01T00:00:{number:02}Z"),
                live,
                {**live, "data": data},
            )
        )
    found = entries(live)
    assert len(found) == 10
    assert found["ancient-changes Update"] == {"f:data": {".": {}, **{f"f:k{at:02}": {} for at in range(5)}}}


def test_what_others_own_is_a_conflict_unless_it_is_the_same_or_forced() -> None:
    live = applied(CM["one"], None, config_map({"a": "1", "b": "1"}))
    refused = after_apply(CM["two"], live, config_map({"a": "2"}), force=False)
    assert isinstance(refused, Conflicts)
    assert refused.message == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    shared = applied(CM["two"], live, config_map({"a": "1"}))
    assert entries(shared)["two Apply"] == {"f:data": {"f:a": {}}}
    assert entries(shared)["one Apply"] == entries(live)["one Apply"]
    forced = applied(CM["two"], live, config_map({"a": "2"}), force=True)
    assert entries(forced) == {"one Apply": {"f:data": {"f:b": {}}}, "two Apply": {"f:data": {"f:a": {}}}}


def test_conflicts_are_told_manager_by_manager() -> None:
    live = applied(CM["one"], None, config_map({"a": "1", "b": "1"}))
    live = UPDATE("putter", live, {**live, "data": {"a": "1", "b": "1", "z": "1"}})
    refused = after_apply(CM["two"], live, config_map({"a": "2", "b": "2", "z": "2"}), force=False)
    assert isinstance(refused, Conflicts)
    assert refused.message == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n- .data.b\n'
        'conflicts with "putter" using v1:\n- .data.z'
    )
    assert [(each.message, each.path) for each in refused.conflicts][2] == (
        'conflict with "putter" using v1',
        ".data.z",
    )


def test_what_is_applied_no_more_goes_unless_somebody_else_owns_it() -> None:
    live = applied(CM["one"], None, config_map({"a": "1", "b": "1"}))
    live = applied(CM["two"], live, config_map({"b": "1"}))
    live = UPDATE("user", live, {**live, "data": {"a": "1", "b": "1", "c": "1"}})
    left = applied(CM["one"], live, config_map())
    assert left["data"] == {"b": "1", "c": "1"}
    assert entries(left) == {"two Apply": {"f:data": {"f:b": {}}}, "user Update": {"f:data": {"f:c": {}}}}


def test_an_item_goes_with_what_others_do_not_own_in_it() -> None:
    pod = write("Pod", "v1", "one")
    base: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    both: Json = {"containers": [{"name": "a", "image": "x", "env": [{"name": "E"}]}, {"name": "b", "image": "y"}]}
    live = applied(pod, None, {**base, "spec": both})
    live = applied(write("Pod", "v1", "two"), live, {**base, "spec": {"containers": [{"name": "b", "command": ["c"]}]}})
    left = applied(pod, live, {**base, "spec": {"containers": [{"name": "a", "image": "x"}]}})
    assert left["spec"] == {"containers": [{"name": "a", "image": "x"}, {"name": "b", "command": ["c"]}]}


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        (config_map(managedFields=[]), 400, "metadata.managedFields must be nil"),
        ({"apiVersion": "v2", "kind": "ConfigMap"}, 400, "invalid object type: /v2, Kind=ConfigMap"),
        ({}, 400, "invalid object type: /, Kind="),
        (
            config_map({"a": 1}),
            500,
            f"{UNFIT}.data.a: expected string, got &value.valueUnstructured{{Value:1}}",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(patch: JsonObject, code: int, message: str) -> None:
    found = after_apply(CM["one"], None, patch, force=True)
    assert isinstance(found, Malformed)
    assert (found.code, found.message) == (code, message)


def test_kubectl_takes_over_from_its_client_side_apply() -> None:
    said = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","b":"1"}}'
    live = UPDATE("kubectl-client-side-apply", None, config_map({"a": "1", "b": "9"}, annotations={ANNOTATION: said}))
    found = applied(CM["kubectl"], live, config_map({"a": "2"}))
    assert found["data"] == {"a": "2", "b": "9"}
    assert found["metadata"]["annotations"] == {  # type: ignore[call-overload, index]
        ANNOTATION: '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    }
    assert isinstance(after_apply(CM["one"], live, config_map({"a": "2"}), force=False), Conflicts)
    refused = after_apply(CM["kubectl"], live, config_map({"a": "2", "b": "2"}), force=False)
    assert isinstance(refused, Conflicts)
    assert [each.path for each in refused.conflicts] == [".data.b"], "what the annotation said is not live any more"


def test_a_manager_of_a_version_that_is_gone_is_gone() -> None:
    two = {version: custom({"type": "object", "properties": {"s": {"type": "string"}}}) for version in ("g/v1", "g/v2")}

    def of(types: dict[str, Type], version: str) -> Write:
        return Write(Versions(types, lambda value, to: {**value, "apiVersion": to}), "C", version, version, NOW)

    live = applied(of(two, "g/v1"), None, {"apiVersion": "g/v1", "kind": "C", "s": "1"})
    assert isinstance(
        after_apply(of(two, "g/v2"), live, {"apiVersion": "g/v2", "kind": "C", "s": "2"}, force=False), Conflicts
    )
    only = {"g/v2": two["g/v2"]}
    found = applied(of(only, "g/v2"), live, {"apiVersion": "g/v2", "kind": "C", "s": "2"})
    assert entries(found) == {"g/v2 Apply": {"f:s": {}}}


DATA = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
WRITES = st.lists(st.tuples(st.sampled_from(["one", "two"]), st.booleans(), DATA), max_size=6)


@given(WRITES)
def test_whatever_is_written_an_updated_field_has_one_owner_and_every_owned_one_is_there(
    writes: list[tuple[str, bool, dict[str, str]]],
) -> None:
    live = UPDATE("maker", None, config_map({"a": "1"}))
    for manager, applies, data in writes:
        values: Json = {**data}
        if applies:
            live = applied(CM[manager], live, config_map(values), force=True)
            assert applied(CM[manager], live, config_map(values)) == live
        else:
            live = UPDATE(manager, live, {**live, "data": values})
        keys = live.get("data") or {}
        assert isinstance(keys, dict)
        owned = {name: decoded(fields) or {} for name, fields in entries(live).items()}
        for fields in owned.values():
            assert {step for step in fields.get("f:data", {}) if step != "."} <= {f"f:{key}" for key in keys}
        updaters = [fields for name, fields in owned.items() if "Update" in name]
        for at, one in enumerate(updaters):
            assert not any(intersection(one, other) for other in updaters[at + 1 :])
