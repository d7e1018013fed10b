"""What a controller keeps, adopts and lets go."""

from __future__ import annotations

import pytest
from workload_samples import meta, owned_by, pod, workload

from podward.api.json_value import JsonObject
from podward.controllers.apps.ownership import Claims, adoption, claims, release, selected_by

OWNER, OTHER = workload("ReplicaSet", "web"), workload("ReplicaSet", "other")
GOING = {**OWNER, "metadata": meta("web", deletionTimestamp="2026-01-01T00:00:00Z")}
WEB = selected_by({"matchLabels": {"app": "web"}})
OWN, LEFT = pod("own", OWNER), pod("left", OWNER, labels={"app": "no"})
ORPHAN, GONE = pod("orphan"), pod("gone", gone=True)


@pytest.mark.parametrize(
    ("owner", "found", "expected"),
    [
        (OWNER, [OWN], Claims(kept=(OWN,))),
        (OWNER, [LEFT], Claims(released=(LEFT,))),
        (OWNER, [ORPHAN], Claims(adopted=(ORPHAN,))),
        (OWNER, [GONE, pod("of another", OTHER), pod("x", labels={"app": "x"})], Claims()),
        (GOING, [OWN, LEFT, ORPHAN], Claims(kept=(OWN,))),
    ],
)
def test_claims(owner: JsonObject, found: list[JsonObject], expected: Claims) -> None:
    assert claims(owner, WEB, found) == expected


def test_an_empty_selector_claims_nothing() -> None:
    assert claims(OWNER, selected_by({}), [ORPHAN]) == Claims()


def test_patches_are_for_the_object_of_this_uid_alone() -> None:
    assert adoption(OWNER, ORPHAN) == {"metadata": {"ownerReferences": owned_by(OWNER), "uid": "uid-orphan"}}
    gone = [{"$patch": "delete", "uid": "uid-web"}]
    assert release(OWNER, OWN) == {"metadata": {"ownerReferences": gone, "uid": "uid-own"}}
