"""How a Pod's status is told to the API server: merged with what is there, as a patch.

Specification (kubelet, `mergePodStatus`, `PatchPodStatus`, in our words): others' conditions stay, DisruptionTarget is
told with the end. A terminal phase is not told while a container could still run: until then the phase is the old one.
Once it is told, the Pod is not ready. The patch is a strategic merge of what differs, bound to the Pod's uid.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import objects
from podward.policy.kubelet.pod_conditions import DISRUPTION, OWN
from podward.policy.kubelet.pod_phase import FAILED, TERMINAL
from podward.policy.kubelet.pod_status import KEPT


def merged(status: JsonObject, api: JsonObject, *, could_run: bool) -> JsonObject:
    """The status to write: `api` is the one that is there, `could_run` whether a container could still run."""
    ends = api.get("phase") not in TERMINAL and status.get("phase") in TERMINAL
    told = {**status}
    others = [row for row in objects(api, "conditions") if row.get("type") not in OWN]
    own = [row for row in objects(status, "conditions") if row.get("type") in OWN]
    if ends and not could_run:
        disrupted = [row for row in objects(status, "conditions") if row.get("type") == DISRUPTION]
        if disrupted:
            others = [*(row for row in others if row.get("type") != DISRUPTION), *disrupted]
    if ends and could_run:
        for name in ("phase", "reason", "message"):
            told.pop(name, None)
            if name in api:
                told[name] = api[name]
    if told.get("phase") in TERMINAL:
        reason = "PodFailed" if told["phase"] == FAILED else "PodCompleted"
        own = [_not_ready(row, reason) for row in own]
    conditions: list[Json] = [*others, *own]
    if conditions:
        told["conditions"] = conditions
    return told


def _not_ready(row: JsonObject, reason: str) -> JsonObject:
    """A condition in a terminal phase: whatever tells of being ready is false."""
    if row.get("type") not in {"Ready", "ContainersReady"} or row.get("status") != "True":
        return row
    return {**row, "status": "False", "reason": reason}


def patch(status: JsonObject, api: JsonObject, uid: str) -> JsonObject | None:
    """The strategic merge patch that makes the API's status so; None where nothing is to change.

    What somebody else has set meanwhile is not touched; a Pod of the same name with another uid refuses it.
    """
    change: JsonObject = {}
    for name in sorted({*status, *api}):
        if name in KEPT and name not in status:
            continue
        if name != "conditions" and status.get(name) != api.get(name):
            change[name] = _replaced(name, status.get(name), api.get(name))
    known = {row.get("type"): row for row in objects(api, "conditions")}
    wanted = {row.get("type"): row for row in objects(status, "conditions")}
    rows: list[Json] = [
        _over(known.get(kind, {}), row) for kind, row in wanted.items() if not _same(row, known.get(kind))
    ]
    rows += [{"$patch": "delete", "type": kind} for kind in known if kind in OWN and kind not in wanted]
    if rows:
        change["conditions"] = rows
    return {"metadata": {"uid": uid}, "status": change} if change else None


def _over(known: JsonObject, row: JsonObject) -> JsonObject:
    """The condition as a merge over the one that is known: what it does not have any more is null."""
    return {**{name: None for name in known if name not in row}, **row}


def _replaced(name: str, value: Json, known: Json) -> Json:
    """Lists that are merged by a key are replaced as a whole, and amounts: what is not told of them is not there."""
    if name in {"podIPs", "hostIPs"} and isinstance(value, list):
        return [*value, {"$patch": "replace"}]
    if name in {"resources", "allocatedResources"} and isinstance(value, dict) and known:
        return {**value, "$patch": "replace"}
    return value


def _same(row: JsonObject, known: JsonObject | None) -> bool:
    """Whether a condition says what is known; null and absent are the same."""
    if known is None:
        return False
    return {name: item for name, item in row.items() if item is not None} == {
        name: item for name, item in known.items() if item is not None
    }
