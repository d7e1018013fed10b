"""`runAsNonRoot` is set only where the images that are here start with it."""

from __future__ import annotations

import pytest

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.image import Image, ImageConfig, PasswdEntry
from podward.check.image_users import SuitedFinding, suited
from podward.documents.reader import decode_documents
from podward.path import Path, path
from podward.schema.workload import pod_sources

POD = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      securityContext: %s
      containers:
      - {name: app, image: i, securityContext: %s}
"""
SPEC = path("spec", "template", "spec")
ON_POD, ON_CONTAINER = SPEC / "securityContext", SPEC / "containers" / 0 / "securityContext"


def of(user: str, pod: str = "{}", container: str = "{}", at: Path = ON_POD) -> SuitedFinding:
    (document,) = decode_documents((POD % (pod, container)).encode(), "f.yaml")
    (source,) = pod_sources(document)
    image = Image(
        "i", "", ImageConfig(user=user), (PasswdEntry("www", 33, 33, "/", 1), PasswdEntry("toor", 0, 0, "/", 2))
    )
    change = Change(at / "runAsNonRoot", value=True)
    finding = Finding("pss/runAsNonRoot", Severity.ERROR, "f.yaml", 1, 0, at, WorkloadRef(), "", changes=(change,))
    (found,) = suited(source, (finding,), {"i": image}.get)
    return found


@pytest.mark.parametrize("user", ["", "0", "0:33", "root", "toor", "nobody-knows"])
def test_an_image_that_runs_as_root_is_left_alone(user: str) -> None:
    assert "image i of container app" in of(user).refusal
    assert of(user, at=ON_CONTAINER).refusal


@pytest.mark.parametrize("user", ["1000", "1000:0", "33"])
def test_an_image_with_a_number_needs_nothing_else(user: str) -> None:
    assert (of(user).refusal, len(of(user).finding.changes)) == ("", 1)


def test_a_name_gets_its_number_on_its_own_container() -> None:
    found = of("www:0")
    assert found.finding.changes[1] == Change(ON_CONTAINER / "runAsUser", 33)
    assert found.said == ("container app: runAsUser 33 is the user www of image i",)


@pytest.mark.parametrize(
    ("pod", "container"), [("{runAsUser: 5}", "{}"), ("{}", "{runAsUser: 5}"), ("{}", "{runAsNonRoot: false}")]
)
def test_where_the_image_does_not_decide_it_is_not_asked(pod: str, container: str) -> None:
    assert (of("", pod, container).refusal, len(of("", pod, container).finding.changes)) == ("", 1)
