"""Pairs of files, before and after, that show what a careful engineer would have written.

`golden/NAME.before.yaml` with the changes below becomes `golden/NAME.after.yaml`, byte for byte. Each pair was read by
a person; when the way of writing changes on purpose, read all of them again.
"""

from __future__ import annotations

from pathlib import Path as File

import pytest

from podward.api.explanation import Change
from podward.decision import Value
from podward.documents.editing.edits import Edit, edited
from podward.path import Key, Path

HERE = File(__file__).parent / "golden"
SCRATCH = "/tmp"  # noqa: S108  # a path in a manifest
TEMPLATE = ("spec", "template", "spec")
JOB = ("spec", "jobTemplate", "spec", "template", "spec")
RESTRICTED = (
    (("allowPrivilegeEscalation",), False),
    (("capabilities", "drop"), ["ALL"]),
    (("runAsNonRoot",), True),
    (("seccompProfile", "type"), "RuntimeDefault"),
)


def change(document: int, *place: str | int | Key, to: Value = None) -> Edit:
    return Edit(document, Change(Path(place), to))


def restricted(document: int, *container: str | int) -> tuple[Edit, ...]:
    return tuple(change(document, *container, "securityContext", *place, to=value) for place, value in RESTRICTED)


CASES: dict[str, tuple[Edit, ...]] = {
    "helm_deployment.yaml": (
        change(1, *TEMPLATE, "securityContext", "runAsNonRoot", to=True),
        change(1, *TEMPLATE, "securityContext", "seccompProfile", "type", to="RuntimeDefault"),
        change(1, *TEMPLATE, "containers", 0, "securityContext", "allowPrivilegeEscalation", to=False),
        change(1, *TEMPLATE, "containers", 0, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(1, *TEMPLATE, "containers", 1, "securityContext", "allowPrivilegeEscalation", to=False),
        change(1, *TEMPLATE, "containers", 1, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(0, "automountServiceAccountToken", to=False),
    ),
    "statefulset_comments.yaml": (
        change(0, *TEMPLATE, "hostNetwork"),
        change(0, *TEMPLATE, "securityContext", "runAsNonRoot", to=True),
        change(0, *TEMPLATE, "initContainers", 0, "securityContext", "privileged"),
        change(0, *TEMPLATE, "initContainers", 0, "securityContext", "runAsUser", to=1000),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "capabilities", "add", 0),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "capabilities", "add", 1),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "allowPrivilegeEscalation", to=False),
        change(0, *TEMPLATE, "containers", 0, "env", 1, to={"name": "HOME", "value": SCRATCH}),
    ),
    "kustomize.yaml": (
        change(0, *TEMPLATE, "hostPID"),
        change(0, *TEMPLATE, "containers", 0, "ports", 0, "hostPort"),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "capabilities", "add", 0),
        *restricted(0, *TEMPLATE, "containers", 0),
        change(0, *TEMPLATE, "volumes", 0),
        change(0, *TEMPLATE, "containers", 0, "volumeMounts", 0),
        change(0, *TEMPLATE, "automountServiceAccountToken", to=False),
    ),
    "list_export.yaml": (
        *restricted(0, "items", 0, "spec", "containers", 0),
        *restricted(0, "items", 1, "spec", "containers", 0),
        change(0, "items", 1, "spec", "containers", 0, "securityContext", "privileged"),
        change(0, "items", 0, "spec", "volumes", 0, "projected", "defaultMode", to=0o400),
        change(0, "items", 1, "spec", "securityContext", "fsGroup", to=2000),
    ),
    "pod.json": (
        change(0, "spec", "hostNetwork"),
        change(0, "spec", "containers", 0, "securityContext", "privileged"),
        change(0, "spec", "containers", 0, "securityContext", "runAsUser", to=1000),
        change(0, "spec", "containers", 0, "securityContext", "capabilities", "add", 0),
        *restricted(0, "spec", "containers", 0),
        *restricted(0, "spec", "containers", 1),
        change(0, "spec", "volumes", 1, to={"name": "cache", "emptyDir": {"medium": "Memory"}}),
        change(0, "metadata", "labels", "app", to="web"),
    ),
    "kubectl_output.json": (
        *restricted(0, "spec", "containers", 0),
        change(0, "spec", "containers", 0, "args", 1, to="--port=8080"),
        change(0, "spec", "containers", 0, "volumeMounts", 0, to={"name": "tmp", "mountPath": SCRATCH}),
        change(0, "spec", "volumes", 0, to={"name": "tmp", "emptyDir": {}}),
    ),
    "compact.json": (
        change(0, "spec", "containers", 0, "securityContext", "privileged"),
        *restricted(0, "spec", "containers", 0),
    ),
    "flow_style.yaml": (
        *restricted(0, "spec", "containers", 0),
        change(0, "spec", "containers", 1, "securityContext", "privileged"),
        change(0, "spec", "containers", 1, "securityContext", "capabilities", "add", 1),
        change(0, "spec", "containers", 1, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(0, "spec", "containers", 2, "securityContext", "privileged"),
        change(0, "spec", "containers", 2, "securityContext", "runAsUser", to=1000),
        change(0, "spec", "containers", 2, "securityContext", "capabilities", to={"drop": ["ALL"]}),
        change(0, "spec", "containers", 2, "securityContext", "runAsNonRoot", to=True),
        change(0, "metadata", "labels", Key("example.com/tier"), to="yes"),
    ),
    "anchors.yaml": (
        *(
            change(0, "spec", "containers", index, "securityContext", "allowPrivilegeEscalation", to=False)
            for index in range(3)
        ),
        change(0, "spec", "containers", 2, "resources", "limits", "memory", to="128Mi"),
        change(0, "spec", "containers", 2, "securityContext", "runAsNonRoot", to=False),
    ),
    "cronjob_four_spaces.yaml": (
        *restricted(0, *JOB, "containers", 0),
        change(0, *JOB, "volumes", 0, "hostPath"),
        change(0, *JOB, "volumes", 0, "emptyDir", to={}),
        change(0, *JOB, "containers", 0, "env", 1, to={"name": "HOME", "value": SCRATCH}),
        change(0, *JOB, "securityContext", "supplementalGroups", to=[2000, 3000]),
        change(0, *JOB, "automountServiceAccountToken", to=False),
    ),
    "nulls_and_scripts.yaml": (
        change(1, "spec", "hostIPC", to=False),
        change(1, "spec", "securityContext", "runAsNonRoot", to=True),
        change(1, "spec", "containers", 0, "securityContext", "runAsUser", to=1000),
        change(1, "spec", "containers", 0, "volumeMounts", 0, to={"name": "config", "mountPath": "/scripts"}),
        change(1, "spec", "containers", 1, "args", 2, to="c"),
        change(1, "spec", "volumes", 0, "configMap", "defaultMode", to=0o555),
    ),
    "sidecars.yaml": (
        change(0, "metadata", "annotations", Key("container.apparmor.security.beta.kubernetes.io/app")),
        change(0, "spec", "containers", 0, "ports", 0, "hostPort"),
        change(0, "spec", "containers", 0, "securityContext", "allowPrivilegeEscalation", to=False),
        change(0, "spec", "containers", 1, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(0, "spec", "containers", 1, "securityContext", "seccompProfile", "type", to="RuntimeDefault"),
        change(0, "spec", "containers", 2, "securityContext", "privileged"),
        change(0, "spec", "containers", 2, "securityContext", "capabilities", "drop", to=["ALL"]),
        change(0, "spec", "containers", 3),
    ),
    "openshift_deploymentconfig.yaml": (
        change(0, *TEMPLATE, "containers", 0, "securityContext", "runAsUser"),
        change(0, *TEMPLATE, "containers", 0, "securityContext", "seLinuxOptions"),
        change(0, *TEMPLATE, "volumes", 0),
    ),
    "namespace_labels.yaml": (
        change(0, "metadata", "labels", Key("pod-security.kubernetes.io/enforce"), to="restricted"),
        change(0, "metadata", "labels", Key("pod-security.kubernetes.io/enforce-version"), to="v1.36"),
        change(0, "metadata", "annotations", Key("openshift.io/sa.scc.uid-range"), to="1000/10"),
    ),
    "crlf_bom.yaml": (
        change(0, "spec", "containers", 0, "securityContext", "privileged"),
        *restricted(0, "spec", "containers", 0),
        change(0, "spec", "volumes", 1, to={"name": "tmp", "emptyDir": {}}),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_edited_as_a_careful_engineer_would(name: str) -> None:
    stem, _, suffix = name.rpartition(".")
    before, after = ((HERE / f"{stem}.{time}.{suffix}").read_bytes() for time in ("before", "after"))
    result = edited(before, name, CASES[name])
    assert result.decode() == after.decode()


def test_every_pair_is_tested() -> None:
    found = {file.name.replace(".before.", ".") for file in HERE.iterdir() if ".before." in file.name}
    assert found == set(CASES)
