"""Every value that explain traces to a field of the manifest really comes from it: without the field it is another.

For each assignment of each container whose source is a field of the manifest, the field is taken out and the Pod is
explained again. The assignment at the same place must then be gone, or have another source.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from prepared_images import with_example_images

from podward.api.json_value import Json, JsonObject
from podward.api.referenced_objects import NO_OBJECTS
from podward.cli import subjects
from podward.decision import Assignment, Origin
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import Key
from podward.path import Path as Place
from podward.runtime import machine
from podward.runtime.explaining.explainer import Explainer
from podward.schema.workload import pod_sources

PROJECT = Path(__file__).parent.parent.parent
MANIFESTS = [
    path
    for path in sorted(
        (*(PROJECT / "examples").glob("[0-9]*.yaml"), *(PROJECT / "tests/e2e/scenarios").glob("*/*.yaml"))
    )
    if any(pod_sources(each) for each in decode_documents(path.read_bytes(), path.name))
    and "nonroot" not in path.parts  # refused
    and "refused" not in path.name
]
NAMES = ("name", "image", "command", "mountPath", "path", "metadata", "emptyDir")
"""Without these there is no Pod, or nothing to run; a volume without a source becomes an emptyDir again."""


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(with_example_images(tmp_path_factory))


def explained(document: Document, state: str) -> dict[tuple[str, str, str], Assignment]:
    """Every assignment by container (empty for the Pod's own), stage and place."""
    dry = Explainer(machine.gather(), state, cgroup_v2=False)
    found = {}
    for source in pod_sources(document):
        pod = dry.explain(subjects.subject(source, NO_OBJECTS))
        stages = [("", stage) for stage in pod.stages]
        stages += [(container.name, stage) for container in pod.containers for stage in container.stages]
        for container, stage in stages:
            for assignment in stage.decision.assignments:
                found[container, stage.name, str(assignment.path)] = assignment
    return found


def without(raw: JsonObject, place: Place) -> JsonObject | None:
    """A copy without the field; None where the manifest does not write it."""
    changed = copy.deepcopy(raw)
    node: Json = changed
    for segment in place.segments[:-1]:
        name = segment.name if isinstance(segment, Key) else segment
        if isinstance(node, dict) and name in node:
            node = node[str(name)]
        elif isinstance(node, list) and isinstance(name, int) and name < len(node):
            node = node[name]
        else:
            return None
    last = place.segments[-1]
    key = last.name if isinstance(last, Key) else last
    if isinstance(node, dict) and key in node:
        del node[str(key)]
        return changed
    if isinstance(node, list) and isinstance(key, int) and key < len(node):
        del node[key]
        return changed
    return None


@pytest.mark.needs("root", "busybox", "skopeo", "umoci", "crun")
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_value_changes_its_source_when_the_named_field_is_taken_out(manifest: Path, state: str) -> None:
    (document,) = (each for each in decode_documents(manifest.read_bytes(), manifest.name) if pod_sources(each))
    checked = 0
    for (container, stage, place), assignment in explained(document, state).items():
        source = assignment.source
        if source.origin is not Origin.MANIFEST or source.path is None or not source.path.segments:
            continue
        if any(segment in NAMES for segment in source.path.segments[-1:]) or "volumeMounts" in source.path.segments:
            continue
        raw = without(document.raw, source.path)
        assert raw is not None, f"{place} cites {source.path}, which the manifest does not write"
        try:
            again = explained(Document(document.name, raw), state).get((container, stage, place))
        except InputError:
            continue  # without the field there is no valid Pod
        checked += 1
        same = again is not None and again.source == source and again.value == assignment.value
        assert not same, f"{container} {stage} {place} = {assignment.value} does not depend on {source.path}"
    assert checked or manifest.stem in {
        "01-minimal",
        "14-job",
        "11-init-and-sidecar",
        "16-restricted-v2",
        "serviceaccount",
    }
