"""CronJobs at work for a real API server."""

from __future__ import annotations

import pytest
from controllers_at_work import EVENTS, at_work, created, gone, served, told, until

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.controllers.cron import controller
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

JOBS, CRON_JOBS = (BY_PLURAL["batch", "v1", name] for name in ("jobs", "cronjobs"))
ENDED = "2026-01-01T00:00:10Z"
TEMPLATE: JsonObject = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
DONE: JsonObject = {
    "startTime": "2026-01-01T00:00:00Z",
    "completionTime": ENDED,
    "succeeded": 1,
    "conditions": [{"type": name, "status": "True"} for name in ("SuccessCriteriaMet", "Complete")],
}


def test_a_job_beyond_the_history_goes_before_its_end_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def work(client: Client) -> None:
        spec: JsonObject = {
            "schedule": "0 0 1 1 *", "suspend": True, "successfulJobsHistoryLimit": 0,
            "jobTemplate": {"spec": {"template": TEMPLATE}},
        }  # fmt: skip
        cron = await created(client, CRON_JOBS, {"metadata": {"name": "c"}, "spec": spec})
        uid: Json = member(cron, "metadata")["uid"]
        owner: JsonObject = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": uid, "controller": True}
        job = await created(
            client, JOBS, {"metadata": {"name": "j", "ownerReferences": [owner]}, "spec": {"template": TEMPLATE}}
        )
        active: JsonObject = {"kind": "Job", "namespace": "default", "name": "j", "uid": member(job, "metadata")["uid"]}
        status: JsonObject = {"status": {"active": [active]}}
        await client.patch(CRON_JOBS, "default", "c", status, PatchKind.MERGE, "status")
        answer = await client.patch(JOBS, "default", "j", {"status": DONE}, PatchKind.MERGE, "status")
        assert not isinstance(answer, Status), answer
        await gone(client, JOBS, "j")
        assert (await told(client, "c", "SuccessfulDelete"))["message"] == "Deleted job j"
        found = await until(client, CRON_JOBS, "c", lambda raw: "active" not in member(raw, "status"))
        assert member(found, "status") == {"lastSuccessfulTime": ENDED}
        listed = await client.list(EVENTS, "default", fields="involvedObject.name=c,reason=SawCompletedJob")
        assert not isinstance(listed, Status)
        assert objects(listed, "items") == []

    with served(tmp_path_factory) as connection:
        at_work(connection, [controller], work)
