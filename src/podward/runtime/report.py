"""What a run tells its user beside the containers' own output: on standard error, one line each."""

from __future__ import annotations

import sys

from podward.api.process import ProcessState
from podward.decision import Decision, Outcome


class Reporter:
    """Where events of a run go: the command line prints them, tests collect them. This one tells nobody."""

    def not_enforced(self, container: str, label: str) -> None:
        """The SELinux label that was asked for `container` is nothing to this kernel: it runs without."""

    def noted(self, pod: str, sentence: str) -> None:
        """Something about a volume or a container of the Pod that its user should know."""

    def restarting(self, container: str, exit_code: int, delay: float) -> None:
        """`container` ended and will be started again after `delay` seconds."""

    def failed_to_start(self, container: str, reason: str) -> None:
        """The runtime could not start `container`."""

    def killed(self, container: str, seconds: float) -> None:
        """`container` did not end within its grace period and was killed."""

    def printed_denial(self, container: str, printed: bytes) -> None:
        """`container` printed this, and in it that the kernel has denied something."""

    def left_behind(self, what: str, reason: str) -> None:
        """Something of a container or a Pod could not be ended or removed; a later call tries again."""

    def observed(self, container: str, predicted: Outcome[ProcessState] | Decision | None, seen: ProcessState) -> None:
        """The kernel's view of `container` just after its execve(2), beside the prediction."""

    def probe(self, container: str, said: str) -> None:
        """An attempt of a probe of `container` that did not succeed, in the words of the kubelet's event."""

    def unhealthy(self, container: str, said: str) -> None:
        """A probe of `container` has failed for good: it is killed."""

    def hook_failed(self, container: str, hook: str, reason: str, effect: str) -> None:
        """A lifecycle hook of `container` failed, and what follows."""


class TerminalReport(Reporter):
    """Events as lines on standard error."""

    def not_enforced(self, container: str, label: str) -> None:
        """`note: ctr: …`."""
        _say(f"note: {container}: the SELinux label {label} is not enforced: this kernel has no SELinux")

    def noted(self, pod: str, sentence: str) -> None:
        """`note: pod: volume data: …`."""
        _say(f"note: {pod}: {_printable(sentence)}")

    def restarting(self, container: str, exit_code: int, delay: float) -> None:
        """`ctr: exited with 1, restarting in 10s`."""
        after = f"in {delay:.0f}s" if delay else "now"
        _say(f"{container}: exited with {exit_code}, restarting {after}")

    def failed_to_start(self, container: str, reason: str) -> None:
        """`ctr: cannot start: …`."""
        _say(f"{container}: cannot start: {reason}")

    def killed(self, container: str, seconds: float) -> None:
        """`ctr: did not end within 30s, killed`."""
        _say(f"{container}: did not end within {seconds:.0f}s, killed")

    def probe(self, container: str, said: str) -> None:
        """`ctr: Liveness probe failed: …`."""
        _say(f"{container}: {_printable(said)}")

    def unhealthy(self, container: str, said: str) -> None:
        """`ctr: Container c failed liveness probe, will be restarted`."""
        _say(f"{container}: {said}")

    def hook_failed(self, container: str, hook: str, reason: str, effect: str) -> None:
        """`ctr: postStart hook failed: …; it is killed`."""
        _say(f"{container}: {hook} hook failed: {_printable(reason)}; {effect}")

    def left_behind(self, what: str, reason: str) -> None:
        """`note: ctr: not all of it could be removed: …`."""
        _say(f"note: {what}: not all of it could be removed, a later run tries again: {reason}")


def _say(text: str) -> None:
    from podward.render.escaping import message  # most runs have nothing to say, and start-up counts

    sys.stdout.flush()
    sys.stderr.write(message(f"podward: {text}") + "\n")
    sys.stderr.flush()


def _printable(text: str) -> str:
    from podward.render.escaping import printable  # most runs have nothing to escape, and start-up counts

    return printable(text)
