"""`podward explain --verify`: the explained Pods run for a moment, and what the kernel said of their processes."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import ExitStack

import msgspec

from podward.api.explanation import ContainerExplanation
from podward.cli import running, subjects
from podward.errors import ImageError, InputError, PodwardError, RuntimeFailedError
from podward.render.explain.rows import ExplainedPod
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.options import RunOptions
from podward.runtime.pod import PodRun
from podward.runtime.report import Reporter
from podward.runtime.supervisor import Supervisor


def observed(
    explained: tuple[ExplainedPod, ...],
    stored: tuple[PodToExplain, ...],
    args: argparse.Namespace,
    errors: list[PodwardError],
) -> tuple[ExplainedPod, ...]:
    """The same explanations with what was observed of each container; refused Pods are not run.

    `stored` are the Pods as they were admitted and explained, and so they are run. Why one can't be run, such as an
    image that is not here, is added to `errors`, and why a container could not be started: nothing was observed of it.

    What the containers print is dropped. Each Pod ends once all its regular containers were observed, and with it what
    it has made. Raises NodeError where this user or this machine can't run Pods.
    """
    report = _Observer()
    here = running.this_machine(args, report)
    pods: dict[int, PodRun] = {}
    with here.runtime.stop.listen(), ExitStack() as cleanup:
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        cleanup.callback(os.close, nowhere)
        once = RunOptions("Never", for_every_container=True, verify=True, stdout=nowhere, stderr=nowhere)
        for number, subject in enumerate(map(_with_uid, stored)):
            if subject.admitted is not None and subject.admitted.refused:
                continue
            pod = PodRun(here, once, subject.without_refused())
            cleanup.callback(pod.destroy)
            try:
                if not any(refusal.of_the_pod for refusal in pod.prepare()):
                    pods[number] = pod
            except (ImageError, InputError) as error:
                errors.append(error)
        report.pods = tuple(pods.values())
        if pods:
            Supervisor(report.pods, report, here.runtime.stop).run()
        errors += [
            RuntimeFailedError(f"{container}: cannot start: {reason}") for container, reason in report.failed.items()
        ]
        return tuple(_with(each, pods.get(number)) for number, each in enumerate(explained))


def _with_uid(subject: PodToExplain) -> PodToExplain:
    """The Pod with a uid of its own, if it has none but the zeros of an explanation."""
    metadata = subject.pod.metadata
    if metadata.uid != subjects.NO_UID:
        return subject
    metadata = msgspec.structs.replace(metadata, uid=running.new_uid())
    return msgspec.structs.replace(subject, pod=msgspec.structs.replace(subject.pod, metadata=metadata))


def _with(explained: ExplainedPod, pod: PodRun | None) -> ExplainedPod:
    if pod is None:
        return explained
    seen = {container.name: container.observed for container in pod.containers}
    containers: tuple[ContainerExplanation, ...] = tuple(
        msgspec.structs.replace(container, observed=seen.get(container.name)) for container in explained.pod.containers
    )
    return msgspec.structs.replace(explained, pod=msgspec.structs.replace(explained.pod, containers=containers))


class _Observer(Reporter):
    """Ends the run once there is nothing more to see."""

    def __init__(self) -> None:
        self.pods: tuple[PodRun, ...] = ()
        self.failed: dict[str, str] = {}

    def observed(self, container: str, predicted: object, seen: object) -> None:
        """One more container was seen."""
        del container, predicted, seen
        self._end_if_all_was_seen()

    def failed_to_start(self, container: str, reason: str) -> None:
        """It will never be seen."""
        self.failed[container] = reason
        self._end_if_all_was_seen()

    def _end_if_all_was_seen(self) -> None:
        regular = (c for pod in self.pods for c in pod.containers if c.kind == "regular")
        if all(c.observed is not None or c.failed_to_start for c in regular):
            # To the supervisor the first signal is a request to end the Pods, the second one ends them now.
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
