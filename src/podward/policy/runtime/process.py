"""The smaller fields of the spec's `process`: args, cwd, terminal, noNewPrivileges, rlimits and oomScoreAdj.

Specification, in our words:
- args (containerd 2.2 `customopts.WithProcessArgs`, CRI-O 1.33 `SpecSetProcessArgs`, Docker 29 `merge`): the CRI's
  command replaces the image's Entrypoint *and* its Cmd; the CRI's args alone replace the Cmd. It is an error if nothing
  is left to run. containerd ignores an Entrypoint that is a single empty word.
- cwd, terminal and noNewPrivileges (the same in containerd 2.2, CRI-O 1.33 and Docker 29): cwd is the CRI's working
  directory, else the image's, else `/`. A container with a tty gets a terminal. noNewPrivileges is what the kubelet
  requests, for privileged containers too.
- rlimits: none of the three sets any by default, so the container inherits those of the process that starts the OCI
  runtime. containerd (2.2 `WithoutDefaultSecuritySettings`) removes its default spec's, CRI-O's `default_ulimits` and
  Docker's `default-ulimits` are empty, and the CRI has no field for them.
- oomScoreAdj (containerd 2.2 `WithOOMScoreAdj`, CRI-O 1.33, Docker 29; proc(5)): the CRI's value. Without
  CAP_SYS_RESOURCE the kernel does not let a process go below its present value. For such nodes containerd has the
  option `restrict_oom_score_adj`, which uses the runtime's own value instead; this rule does the same.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig
from podward.api.image import Image, UnknownImage
from podward.api.node import Node
from podward.decision import Decision, Origin, Source, assign, merge, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PROCESS = path("process")
ARGS = PROCESS / "args"
NODE = Source(Origin.NODE, "this machine")


def decide_args(config: ContainerConfig, image: Image | UnknownImage, runtime: RuntimeProfile) -> Decision:
    """`process.args`; if there is no command, they are empty and a violation says so."""
    if config.command:
        reason = "command" + (" and args" if config.args else "")
        return assign(ARGS, (*config.command, *config.args), reason, runtime.source_of("command"))
    if isinstance(image, UnknownImage):
        reason = f"the image's Entrypoint and {'args' if config.args else 'Cmd'}"
        return assign(ARGS, image.unknown, reason, Source(Origin.IMAGE, image.name, path("config", "Entrypoint")))
    entrypoint, cmd = image.config.entrypoint, image.config.cmd
    if entrypoint == ("",) and runtime.name == "containerd":
        entrypoint = ()
    if config.args:
        words = (*entrypoint, *config.args)
        reason = "the image's Entrypoint and args" if entrypoint else "args"
        source = runtime.source_of("args")
    else:
        words, reason = (*entrypoint, *cmd), "the image's Entrypoint and Cmd"
        source = Source(Origin.IMAGE, image.name, path("config", "Entrypoint" if entrypoint else "Cmd"))
    decision = assign(ARGS, words, reason, source)
    return decision if words else decision + refuse(ARGS, (), "no command specified", runtime.source)


def decide_cwd(config: ContainerConfig, image: Image | UnknownImage, runtime: RuntimeProfile) -> Decision:
    """`process.cwd`."""
    if config.working_dir:
        return assign(PROCESS / "cwd", config.working_dir, "workingDir", runtime.source_of("workingDir"))
    of_image = Source(Origin.IMAGE, image.name, path("config", "WorkingDir"))
    if isinstance(image, UnknownImage):
        return assign(PROCESS / "cwd", image.unknown, "the image's WorkingDir", of_image)
    if image.config.working_dir:
        return assign(PROCESS / "cwd", image.config.working_dir, "the image's WorkingDir", of_image)
    return assign(PROCESS / "cwd", "/", "no working directory is asked for", runtime.source)


def decide_flags(config: ContainerConfig, runtime: RuntimeProfile) -> Decision:
    """`process.terminal` and `process.noNewPrivileges`."""
    no_new_privs = config.linux.security_context.no_new_privs
    source = runtime.source_of("linux", "securityContext", "noNewPrivs")
    return merge(
        assign(PROCESS / "terminal", config.tty, "tty", runtime.source_of("tty")),
        assign(PROCESS / "noNewPrivileges", no_new_privs, "as the kubelet asks", source),
    )


def decide_rlimits(runtime: RuntimeProfile) -> Decision:
    """`process.rlimits`: empty."""
    return assign(PROCESS / "rlimits", (), "none by default: those of the runtime are kept", runtime.source)


def decide_oom_score(config: ContainerConfig, node: Node, inherited: int, runtime: RuntimeProfile) -> Decision:
    """`process.oomScoreAdj`; `inherited` is the value of the process that starts the OCI runtime."""
    place, requested = PROCESS / "oomScoreAdj", config.linux.resources.oom_score_adj
    if requested < inherited and not node.lowers_oom_scores:
        reason = f"{requested} is asked for; without CAP_SYS_RESOURCE this machine can't go below {inherited}"
        return assign(place, inherited, reason, NODE)
    return assign(place, requested, "as the kubelet asks", runtime.source_of("linux", "resources", "oomScoreAdj"))
