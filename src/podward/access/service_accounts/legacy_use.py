"""The use of tokens in Secrets is noted, so that those that nobody uses can be cleaned away.

Specification: Kubernetes, pkg/serviceaccount/legacy.go and pkg/controlplane/controller/legacytokentracking: a Secret
whose token is shown, be it marked as invalid, has a label with the day (UTC), which is written once a day; servers
whose clocks are ahead may have written tomorrow's. A ConfigMap says since when that is done.
"""

from __future__ import annotations

import datetime as dt

from podward.access.service_accounts.lookups import Lookup
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member

LAST_USED, INVALID_SINCE = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
TRACKING = "kube-apiserver-legacy-service-account-token-tracking"


class Use(Lookup, frozen=True):
    """The Secret of a token that is good, or would be if it were not marked: its use is to be noted."""


def tracking(today: dt.date) -> JsonObject:
    """The ConfigMap that says since when the use is noted."""
    metadata: JsonObject = {"name": TRACKING, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"since": today.isoformat()}}


def noted(secret: JsonObject, today: dt.date) -> JsonObject | None:
    """The Secret with its use noted; None where it is so already."""
    metadata = member(secret, "metadata")
    labels = member(metadata, "labels")
    if labels.get(LAST_USED) in {today.isoformat(), (today + dt.timedelta(days=1)).isoformat()}:
        return None
    return {**secret, "metadata": {**metadata, "labels": {**labels, LAST_USED: today.isoformat()}}}
