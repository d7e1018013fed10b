"""The containers that a runtime refuses to make, by their message alone.

What depends on the image or the machine is refused where it is decided (`podward.stages.oci`). Specification, in our
words: containerd 2.2 (`CreateContainer`, `mutateImageMount`) and CRI-O 1.33
(`container.SetConfig`, `addImageVolumes`). An image that is mounted is read-only and has no host path. Ours: paths are
absolute, a log stays in the Pod's log directory, and permissions of devices are of `r`, `w` and `m`, which runc says
only when it starts.
"""

from __future__ import annotations

from posixpath import normpath

from podward.api.cri import ContainerConfig, Device, Mount, PodSandboxConfig
from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.path import Path, path
from podward.policy.runtime import user_namespace
from podward.policy.runtime.namespaces import options
from podward.policy.runtime.request_refusal import is_plain, refuse_request

CONFIG = path("config")
PERMISSIONS = frozenset("rwm")
IMAGE_VOLUME = "ImageVolumeMountFailed"
"""The word by which the kubelet knows that an image could not be mounted (cri-api `ErrImageVolumeMountFailed`)."""


def check(config: ContainerConfig | None, sandbox: PodSandboxConfig) -> Decision:
    """What is wrong with the configuration of a CreateContainer request; `sandbox` is that of its Pod's sandbox."""
    if config is None or not config.metadata.name:
        return refuse_request(CONFIG / "metadata", "", "container config must include metadata")
    return merge(
        _image(config),
        _log_path(config, sandbox),
        *(_mount(CONFIG / "mounts" / index, mount) for index, mount in enumerate(config.mounts)),
        *(_device(CONFIG / "devices" / index, device) for index, device in enumerate(config.devices)),
        _texts(config),
        _namespaces(config),
    )


def log_path(config: ContainerConfig, sandbox: PodSandboxConfig) -> str:
    """Where the container's log is to be; "" for nowhere. Only of a message that nothing is wrong with."""
    if not sandbox.log_directory or not config.log_path:
        return ""
    return normpath(f"/{sandbox.log_directory.strip('/')}/{config.log_path}").replace("//", "/")


def stop_signal(config: ContainerConfig, of_image: str) -> str:
    """The name of the signal that asks the container to end: the message's, else the image's; "" is the default."""
    if config.stop_signal == "RUNTIME_DEFAULT":
        return of_image
    return config.stop_signal.replace("PLUS", "+").replace("MINUS", "-")


def _image(config: ContainerConfig) -> Decision:
    if config.image.image:
        return Decision()
    return refuse_request(CONFIG / "image" / "image", "", "container config must name an image")


def _log_path(config: ContainerConfig, sandbox: PodSandboxConfig) -> Decision:
    whole = log_path(config, sandbox)
    if not whole:
        return Decision()
    inside = f"{normpath(sandbox.log_directory).rstrip('/')}/"
    if is_plain(config.log_path) and whole.startswith(inside) and whole != inside:
        return Decision()
    sentence = f"log path {quote(config.log_path)} leaves the sandbox's log directory"
    return refuse_request(CONFIG / "logPath", config.log_path, sentence)


def _mount(place: Path, mount: Mount) -> Decision:
    fault = ""
    if not mount.container_path.strip("/") or not is_plain(mount.container_path):
        fault = f"container path {quote(mount.container_path)} is no place below the container's root"
    elif mount.image is not None:
        fault = _image_mount(mount, mount.image.image)
    elif mount.image_sub_path:
        fault = f"image sub path {quote(mount.image_sub_path)} is set without an image"
    elif not mount.host_path.startswith("/") or "\0" in mount.host_path:
        fault = f"host path {quote(mount.host_path)} is not absolute"
    return refuse_request(place, mount.container_path, fault) if fault else Decision()


def _image_mount(mount: Mount, image: str) -> str:
    fault = ""
    if mount.host_path:
        fault = f"hostpath must be empty while mount image, got {quote(mount.host_path)}"
    elif not mount.readonly:
        fault = f"readonly must be true while mount image at {quote(mount.container_path)}"
    elif not image:
        fault = f"image not specified for the mount at {quote(mount.container_path)}"
    elif mount.image_sub_path.startswith("/") or not is_plain(mount.image_sub_path):
        fault = f"image sub path {quote(mount.image_sub_path)} leads out of the image"
    return f"{IMAGE_VOLUME}: {fault}" if fault else ""


def _device(place: Path, device: Device) -> Decision:
    fault = ""
    if not device.permissions or not PERMISSIONS.issuperset(device.permissions):
        fault = f"permissions {quote(device.permissions)} of a device are none: of r, w and m"
    elif not device.host_path.startswith("/"):
        fault = f"host path {quote(device.host_path)} of a device is not absolute"
    elif not device.container_path.startswith("/") or not is_plain(device.container_path):
        fault = f"container path {quote(device.container_path)} of a device is no place in the container"
    return refuse_request(place, device.host_path, fault) if fault else Decision()


def _texts(config: ContainerConfig) -> Decision:
    """What execve(2) can't be given: words with a NUL, variables without a name or with `=` in it."""
    refused = Decision()
    if any("\0" in word for word in (*config.command, *config.args, config.working_dir)):
        refused += refuse_request(CONFIG / "command", config.command, "a command's words can't have a NUL character")
    if config.working_dir and not config.working_dir.startswith("/"):
        sentence = f"working directory {quote(config.working_dir)} is not absolute"
        refused += refuse_request(CONFIG / "workingDir", config.working_dir, sentence)
    for index, variable in enumerate(config.envs):
        if not variable.key or "=" in variable.key or "\0" in f"{variable.key}{variable.value}":
            sentence = f"{quote(variable.key)} is no variable"
            refused += refuse_request(CONFIG / "envs" / index, variable.key, sentence)
    return refused


def _namespaces(config: ContainerConfig) -> Decision:
    modes, refused = options(config.linux.security_context), Decision()
    place = CONFIG / "linux" / "securityContext" / "namespaceOptions"
    if fault := user_namespace.fault_of(modes.userns_options):
        refused += refuse_request(place / "usernsOptions", modes.userns_options, fault)
    if modes.pid == "TARGET" and not modes.target_id:
        sentence = "invalid target container: no id is given"
        refused += refuse_request(place / "targetId", "", sentence)
    return refused
