"""What a kubelet calls things in the CRI: labels, annotations, names of logs. All that it knows after a restart.

Specification (kubelet, pkg/kubelet/kuberuntime labels.go and helpers.go, in our words): a sandbox has the Pod's labels
and annotations, and labels with the Pod's name, namespace and uid; a container these three with its own name. A
container's annotations hold the number of its definition, how often it was started before, the places of its
termination message, the grace periods, its preStop hook and its ports. Logs are
NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log.
"""

from __future__ import annotations

import msgspec

from podward.api.core import Container, Handler, Pod
from podward.api.pod_seen import HASH
from podward.policy.kubelet import container_definition

POD_NAME, POD_NAMESPACE = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"
POD_UID, CONTAINER_NAME = "io.kubernetes.pod.uid", "io.kubernetes.container.name"
RESTART_COUNT = "io.kubernetes.container.restartCount"
MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy"
DELETION_GRACE, TERMINATION_GRACE = "io.kubernetes.pod.deletionGracePeriod", "io.kubernetes.pod.terminationGracePeriod"
PRE_STOP, PORTS = "io.kubernetes.container.preStopHandler", "io.kubernetes.container.ports"


def of_pod(pod: Pod) -> dict[str, str]:
    """The labels by which everything of a Pod is found."""
    meta = pod.metadata
    return {POD_NAME: meta.name or "", POD_NAMESPACE: meta.namespace or "default", POD_UID: meta.uid or ""}


def sandbox_labels(pod: Pod) -> dict[str, str]:
    """The labels of the Pod's sandbox."""
    return {**_texts(pod.metadata.labels), **of_pod(pod)}


def sandbox_annotations(pod: Pod) -> dict[str, str]:
    """The annotations of the Pod's sandbox."""
    return _texts(pod.metadata.annotations)


def container_labels(pod: Pod, container: Container) -> dict[str, str]:
    """The labels of a container."""
    return {**of_pod(pod), CONTAINER_NAME: container.name}


def container_annotations(
    pod: Pod, container: Container, restarts: int, deletion_grace: int | None = None
) -> dict[str, str]:
    """The annotations of a container that was started `restarts` times before."""
    found = {
        HASH: container_definition.number(container),
        RESTART_COUNT: str(restarts),
        MESSAGE_PATH: container.termination_message_path or "",
        MESSAGE_POLICY: container.termination_message_policy or "",
    }
    if deletion_grace is not None:
        found[DELETION_GRACE] = str(deletion_grace)
    if pod.spec.termination_grace_period_seconds is not None:
        found[TERMINATION_GRACE] = str(pod.spec.termination_grace_period_seconds)
    if container.lifecycle is not None and container.lifecycle.pre_stop is not None:
        found[PRE_STOP] = msgspec.json.encode(container.lifecycle.pre_stop).decode()
    if container.ports:
        found[PORTS] = msgspec.json.encode(container.ports).decode()
    return found


def pre_stop_of(annotations: dict[str, str]) -> Handler | None:
    """The preStop hook that a container was made with; None where it has none that can be read."""
    text = annotations.get(PRE_STOP)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Handler)
    except msgspec.MsgspecError:
        return None


def number_of(annotations: dict[str, str], name: str) -> int | None:
    """The number in an annotation; None where it has none."""
    text = annotations.get(name, "")
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else None


def log_directory(pod: Pod) -> str:
    """The name of the directory of the Pod's logs."""
    meta = pod.metadata
    return f"{meta.namespace or 'default'}_{meta.name}_{meta.uid}"


def log_path(container: str, restarts: int) -> str:
    """The log of an attempt, below the Pod's directory of logs."""
    return f"{container}/{restarts}.log"


def _texts(written: dict[str, str | None] | None) -> dict[str, str]:
    return {name: value or "" for name, value in (written or {}).items()}
