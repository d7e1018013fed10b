"""The working directory, the terminal and no_new_privs.

Specification, in our words, the same in containerd 2.2, CRI-O 1.33 and Docker 29: the CRI's working directory, else the
image's, else `/`; a terminal if the container has a tty; no_new_privs exactly as the kubelet asks, privileged or not.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig
from podward.api.image import Image, UnknownImage
from podward.decision import Decision, Origin, Source, Value, assign, merge
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile


def decide(config: ContainerConfig, image: Image | UnknownImage, runtime: RuntimeProfile) -> Decision:
    """`process.cwd`, `process.terminal` and `process.noNewPrivileges`."""
    directory: Value
    if config.working_dir:
        directory, reason = config.working_dir, "workingDir"
        source = runtime.of("workingDir")
    elif isinstance(image, UnknownImage):
        directory, reason = image.unknown, "the image's WorkingDir"
        source = Source(Origin.IMAGE, image.name, path("config", "WorkingDir"))
    elif image.config.working_dir:
        directory, reason = image.config.working_dir, "the image's WorkingDir"
        source = Source(Origin.IMAGE, image.name, path("config", "WorkingDir"))
    else:
        directory, reason, source = "/", "no working directory is asked for", runtime.source
    no_new_privs = runtime.of("securityContext", "noNewPrivs")
    return merge(
        assign(path("process", "cwd"), directory, reason, source),
        assign(path("process", "terminal"), config.tty, "tty", runtime.of("tty")),
        assign(
            path("process", "noNewPrivileges"),
            config.security_context.no_new_privs,
            "as the kubelet asks",
            no_new_privs,
        ),
    )
