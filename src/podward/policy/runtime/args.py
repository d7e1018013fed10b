"""The command line of the process.

Specification, in our words (containerd 2.2 `customopts.WithProcessArgs`, CRI-O 1.33 `SpecSetProcessArgs`, Docker 29
`merge`): command replaces the image's Entrypoint *and* its Cmd; args alone replace the Cmd. Nothing at all is an error.
containerd takes an Entrypoint of one empty word for none.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig
from podward.api.image import Image, UnknownImage
from podward.decision import Decision, Origin, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("process", "args")


def decide(config: ContainerConfig, image: Image | UnknownImage, runtime: RuntimeProfile) -> Decision:
    """`process.args`; after a violation it is assigned too, empty."""
    if config.command:
        reason = "command" + (" and args" if config.args else "")
        return assign(PLACE, (*config.command, *config.args), reason, runtime.of("command"))
    if isinstance(image, UnknownImage):
        reason = f"the image's Entrypoint and {'args' if config.args else 'Cmd'}"
        return assign(PLACE, image.unknown, reason, Source(Origin.IMAGE, image.name, path("config", "Entrypoint")))
    entrypoint, cmd = image.config.entrypoint, image.config.cmd
    if entrypoint == ("",) and runtime.name == "containerd":
        entrypoint = ()
    if config.args:
        words = (*entrypoint, *config.args)
        reason = "the image's Entrypoint and args" if entrypoint else "args"
        source = runtime.of("args")
    else:
        words, reason = (*entrypoint, *cmd), "the image's Entrypoint and Cmd"
        source = Source(Origin.IMAGE, image.name, path("config", "Entrypoint" if entrypoint else "Cmd"))
    decision = assign(PLACE, words, reason, source)
    return decision if words else decision + refuse(PLACE, (), "no command specified", runtime.source)
