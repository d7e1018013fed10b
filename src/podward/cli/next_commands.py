"""What `podward run` says to type next: after a refusal, a failed start, and a container's word that it was denied."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from podward.api.core import every_container
from podward.cli import file_options, terminal

if TYPE_CHECKING:  # most runs suggest nothing, and start-up counts
    import argparse

    from podward.cli.companions import Companions
    from podward.cli.given_pods import GivenPods
    from podward.render.next_command import CommandContext
    from podward.runtime.options import Refused
    from podward.schema.workload import PodSource

_MOST = 3
"""The most suggestions about what containers print: they may print without end."""


class NextCommands:
    """Prints each command once."""

    def __init__(self, given: GivenPods, args: argparse.Namespace) -> None:
        self._sources = {source.view.metadata.name or "pod": source for source in given.pods}
        self._given = given
        self._options = args
        self._said: set[str] = set()

    def after_refusals(self, source: PodSource, refusals: tuple[Refused, ...]) -> None:
        """After why a Pod, or containers of it, are refused."""
        if not refusals:
            return
        from podward.render import next_command

        context = self._context(source, "")
        for refusal in refusals:
            for violation in refusal.decision.violations:
                self._say(next_command.after_run(violation, context))

    def after_failed_start(self, label: str, reason: str) -> None:
        """After why a container could not be started."""
        from podward.render import next_command

        pod, _, name = label.partition("/")
        source = self._sources[pod]
        self._say(next_command.after_failed_start(reason, _entry(source, name), self._context(source, name)))

    def after_output(self, label: str, printed: bytes) -> None:
        """After lines in which a container says that it was denied something."""
        from podward.render.denied_paths import after_message

        pod, _, name = label.partition("/")
        context = self._context(self._sources[pod], name)
        for line in printed.decode("utf-8", "replace").splitlines():
            if len(self._said) < _MOST:
                self._say(after_message(line, context))

    def _context(self, source: PodSource, container: str) -> CommandContext:
        from podward.render.next_command import CommandContext

        several = len(every_container(source.view.spec)) > 1
        file = source.document.name
        options = file_options.again(self._options, file, self._beside)
        return CommandContext(file, options, container if several else "")

    @cached_property
    def _beside(self) -> Companions:
        from podward.cli.companions import companions

        return companions(self._given.documents, self._given.pods)

    def _say(self, command: str) -> None:
        if command and command not in self._said:
            self._said.add(command)
            terminal.say(f"next: `{command}`")


def _entry(source: PodSource, container: str) -> str:
    """The first word of the container's command, if the manifest has one."""
    commands = [each.command for _, _, each in every_container(source.view.spec) if each.name == container]
    return commands[0][0] if commands and commands[0] else ""
