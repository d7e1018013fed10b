"""The events that a kubelet tells about Pods: type, reason, message, and the part of the Pod that each is about.

Specification (kubelet, pkg/kubelet/events, kuberuntime, images, prober, volumemanager; container GenerateContainerRef,
in our words): an event about a container has `spec.containers{NAME}` (or initContainers, ephemeralContainers) as its
`involvedObject.fieldPath`, one about the Pod has none. What a runtime says has the container's name for its id, so that
the same thing said again is the same. A runtime's message is told on one line.

`about` makes a message of a row: names in braces are what happened.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api import go_duration
from podward.api.core import Pod
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet.pod_name import described

NORMAL, WARNING = "Normal", "Warning"


class Row(Struct, frozen=True):
    """An event of the table."""

    type: str
    reason: str
    text: str

    def about(self, **words: str) -> PodEvent:
        """The event with these words in its message."""
        return PodEvent(self.type, self.reason, self.text.format_map(words))


class PodEvent(Struct, frozen=True):
    """An event to tell."""

    type: str
    reason: str
    message: str


# --- images -----------------------------------------------------------------------------------------------------------

PULLING = Row(NORMAL, "Pulling", "Pulling image {image}")
PRESENT = Row(NORMAL, "Pulled", "Container image {image} already present on machine and can be accessed by the pod")
PULLED = Row(
    NORMAL,
    "Pulled",
    "Successfully pulled image {image} in {took} ({waited} including waiting). Image size: {size} bytes.",
)
PULL_FAILED = Row(WARNING, "Failed", "Failed to pull image {image}: {why}")
PULL_WAITS = Row(NORMAL, "BackOff", "Back-off pulling image {image}")
NEVER_PULLED = Row(WARNING, "ErrImageNeverPull", "Container image {image} is not present with pull policy of Never")
INVALID_IMAGE = Row(WARNING, "InspectFailed", "Failed to apply default image tag {image}: {why}")
INSPECT_FAILED = Row(WARNING, "InspectFailed", "Failed to inspect image {image}: {why}")
NO_PULL_SECRET = Row(
    WARNING,
    "FailedToRetrieveImagePullSecret",
    "Unable to retrieve some image pull secrets ({names}); attempting to pull the image may not succeed.",
)

# --- containers -------------------------------------------------------------------------------------------------------

CREATED = Row(NORMAL, "Created", "Container created")
STARTED = Row(NORMAL, "Started", "Container started")
FAILED = Row(WARNING, "Failed", "Error: {why}")
"""A container that could not be configured, created or started, or whose image is not there: then `why` is a reason."""
KILLING = Row(NORMAL, "Killing", "{why}")
AT_ONCE = "killing"
"""Why a container is ended that has to begin anew with all others of its Pod."""
CRASHED = Row(WARNING, "BackOff", "Back-off restarting failed container {name} in pod {pod}")
POST_START_FAILED = Row(WARNING, "FailedPostStartHook", "PostStartHook failed")
PRE_STOP_FAILED = Row(WARNING, "FailedPreStopHook", "PreStopHook failed")
UNHEALTHY = Row(WARNING, "Unhealthy", "{why}")
PROBE_WARNING = Row(WARNING, "ProbeWarning", "{why}")

# --- the Pod ----------------------------------------------------------------------------------------------------------

SANDBOX_CHANGED = Row(NORMAL, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
SANDBOX_FAILED = Row(WARNING, "FailedCreatePodSandBox", "Failed to create pod sandbox: {why}")
SANDBOX_UNSEEN = Row(WARNING, "FailedPodSandBoxStatus", "Unable to get pod sandbox status: {why}")
KILL_FAILED = Row(WARNING, "FailedKillPod", "error killing pod: {why}")
NO_CGROUP = Row(WARNING, "FailedCreatePodContainer", "unable to ensure pod container exists: {why}")
NO_DIRECTORY = Row(WARNING, "Failed", "error making pod data directories: {why}")
NO_NETWORK = Row(WARNING, "NetworkNotReady", "network is not ready: {why}")
MOUNT_FAILED = Row(WARNING, "FailedMount", "MountVolume.SetUp failed for volume {volume} : {why}")
MOUNTS_LATE = Row(WARNING, "FailedMount", "Unable to attach or mount volumes: {why}")
NO_CLUSTER_DNS = Row(
    WARNING,
    "MissingClusterDNS",
    'pod: {pod}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy.'
    ' Falling back to "Default" policy.',
)
DEADLINE = Row(NORMAL, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
NOT_IN_TIME = Row(
    WARNING, "ExceededGracePeriod", "Container runtime did not kill the pod within specified grace period."
)
RESIZE_STARTED = Row(NORMAL, "ResizeStarted", "Pod resize started: {what}")
RESIZE_COMPLETED = Row(NORMAL, "ResizeCompleted", "Pod resize completed: {what}")
RESIZE_FAILED = Row(WARNING, "ResizeError", "Pod resize error: {what}")
RESIZE_DEFERRED = Row(WARNING, "ResizeDeferred", "Pod resize {why}: {what}")
RESIZE_INFEASIBLE = Row(WARNING, "ResizeInfeasible", "Pod resize Infeasible: {what}")
DRIFTED = Row(NORMAL, "IdentityDrift", "The process of container {name} is not who it began as: {what}")
ESCALATED = Row(WARNING, "IdentityDrift", "The process of container {name} has more power than it began with: {what}")
"""Ours: the process of a container is not who its status says it was."""


def rejected(reason: str, message: str) -> PodEvent:
    """A Pod that was not admitted."""
    return PodEvent(WARNING, reason, message)


def crashed(pod: Pod, name: str) -> PodEvent:
    """A container that waits because it keeps ending."""
    return CRASHED.about(name=name, pod=described(pod))


def pulled(image: str, seconds: float, waited: float, size: int) -> PodEvent:
    """An image that has come."""
    took = {"took": _milliseconds(seconds), "waited": _milliseconds(waited)}
    return PULLED.about(image=quote(image), size=str(size), **took)


def _milliseconds(seconds: float) -> str:
    return go_duration.text_of(int(seconds * 1000) / 1000)


def without_id(event: PodEvent, container_id: str, name: str) -> PodEvent:
    """The event with the container's name for its id."""
    message = event.message.replace(container_id, name) if container_id else event.message
    return PodEvent(event.type, event.reason, message)


def one_line(said: str) -> str:
    """What a runtime says, on one line: what it advises is on a line of its own."""
    return said.replace("\n  ", "; ").replace("\n", " ")


_LISTS = ("containers", "initContainers", "ephemeralContainers")


def field_of(document: JsonObject, name: str) -> str:
    """Where the container of this name is, as events have it."""
    spec = member(document, "spec")
    for field in _LISTS:
        if any(container.get("name") == name for container in objects(spec, field)):
            return f"spec.{field}{{{name}}}"
    return f"implicitly required container {name}"
