#!/usr/bin/env python3
"""Runs random Pods for real and compares what was predicted of each process with what the kernel says.

usage: prove.py --pods N [--runtime crun|runc] [--seed S] [--through cri]

Each Pod is explained, made, decided about, run by the OCI runtime under one of the three runtimes' defaults, and
observed at its execve(2). A process that was predicted not to start must not start, and what was explained before
anything was made must be what was predicted when all of it was there. With `--through cri`, `podward cri` runs the
Pods, and they are brought to it as a kubelet brings them. The first difference is shrunk to a minimal manifest and
printed. Prints last `N pods, M differ`; exit status 0 only when M is 0. Needs root, or
a user who has ranges of ids.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import msgspec
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, os.path.dirname(__file__))
import odd_images
import random_pods
import through_cri
import volume_rows

from podward.api.pod_facts import PodFacts
from podward.api.process import ProcessState
from podward.api.referenced_objects import ReferencedObjects
from podward.cli import running, subjects
from podward.decision import Outcome
from podward.documents.document import Document
from podward.errors import InputError, NodeError
from podward.render import verify
from podward.runtime import machine, mount_namespace, probe
from podward.runtime.cgroups import Cgroups
from podward.runtime.explaining.explainer import Explainer
from podward.runtime.explaining.volumes import DryVolumes
from podward.runtime.health import trials
from podward.runtime.images.store import ImageStore
from podward.runtime.oci import OciRuntime
from podward.runtime.options import Machine
from podward.runtime.pod import PodRun
from podward.runtime.report import Reporter
from podward.runtime.state import State
from podward.runtime.stop_signals import StopSignals
from podward.runtime.supervisor import Supervisor
from podward.runtime.volumes import attach
from podward.schema.workload import PodSource, pod_sources


class DifferentError(AssertionError):
    """A prediction was wrong."""


class Reasons(Reporter):
    """Keeps why containers could not start."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def failed_to_start(self, container: str, reason: str) -> None:
        self.reasons.append(f"{container}: {reason}")


class Proof:
    """Counts the Pods that ran, and compares each."""

    def __init__(self, here: dict[str, Machine], objects: ReferencedObjects, report: Reasons) -> None:
        self._here = here
        self._objects = objects
        self._report = report
        self.ran = self.refused = self.containers = 0
        self._shown = time.monotonic()

    def check(self, defaults: str, manifest: random_pods.Manifest) -> None:
        """Run one Pod. Raises DifferentError, or hypothesis' reject where it is refused."""
        self._report.reasons.clear()
        (source,) = pod_sources(Document("random.yaml", manifest))
        explained = self._explained(source, self._here[defaults])
        options = argparse.Namespace(restart="Never", keep=False, verify=True, output="json")
        try:
            pod = running.prepared(source, self._objects, self._here[defaults], options, alone=True)
        except InputError:
            self.refused += 1
            reject()
        try:
            if pod.prepare():
                self.refused += 1
                reject()
            _compare_files(pod, source, self._objects)
            Supervisor((pod,), self._report, StopSignals()).run()
            _compare_explained(pod, explained)
            self._compare(pod)
        finally:
            pod.destroy()
        self.ran += 1
        if sys.stderr.isatty() and time.monotonic() - self._shown > 1:
            self._shown = time.monotonic()
            print(f"\r{self.ran} pods, {self.refused} refused", end="", file=sys.stderr)

    def _explained(self, source: PodSource, here: Machine) -> dict[str, ProcessState | None]:
        """What is predicted of each container while nothing of the Pod is there; none where it is refused."""
        explainer = Explainer(here.node, here.state.root, cgroup_v2=here.cgroup_v2)
        try:
            explained = explainer.explain(subjects.subject(source, self._objects))
        except InputError:
            return {}
        return {container.name: container.predicted for container in explained.containers}

    def check_through(self, cri: through_cri.ThroughCri, manifest: random_pods.Manifest) -> None:
        """Have a server run one Pod. Raises DifferentError, or hypothesis' reject where it is refused."""
        (source,) = pod_sources(Document("random.yaml", manifest))
        try:
            compared = cri.run(subjects.subject(source, self._objects, running.new_uid()))
        except InputError:
            compared = None
        if compared is None:
            self.refused += 1
            reject()
        for container in compared:
            self.containers += 1
            foreseen, seen = container.predicted, container.observed
            if not isinstance(foreseen, str) and not isinstance(seen, str):
                _compare_states(container.name, foreseen, seen)
            elif not isinstance(foreseen, str) or not isinstance(seen, str):
                raise DifferentError(f"{container.name}: predicted, then observed\n{foreseen}\n{seen}")
        self.ran += 1

    def _compare(self, pod: PodRun) -> None:
        for container in pod.containers:
            self.containers += 1
            foreseen, seen = container.predicted, container.observed
            if isinstance(foreseen, Outcome) and seen is not None:
                _compare_states(container.name, foreseen.value, seen)
            elif isinstance(foreseen, Outcome) or seen is not None:
                wrong = "predicted to start, but did not" if seen is None else "predicted not to start, but did"
                raise DifferentError("\n".join((f"{container.name}: {wrong}", *self._report.reasons)))


def _compare_explained(pod: PodRun, explained: dict[str, ProcessState | None]) -> None:
    for container in pod.containers:
        if isinstance(container.predicted, Outcome):
            before = explained.get(container.name)
            if before is None:
                raise DifferentError(f"{container.name}: not known when it was explained, then predicted")
            _compare_states(container.name, before, container.predicted.value, "explained, then predicted")


def _compare_states(
    name: str, foreseen: ProcessState, seen: ProcessState, how: str = "predicted, then observed"
) -> None:
    rows = verify.differences(foreseen, seen)
    if rows:
        listed = "\n".join(f"{r.field}:\n  {r.predicted}\n  {r.observed}" for r in rows)
        raise DifferentError(f"{name}: {how}\n{listed}")


def _compare_files(pod: PodRun, source: PodSource, objects: ReferencedObjects) -> None:
    """Hold the volumes' files on disk to what `explain` would plan. Raises DifferentError."""
    subject = subjects.subject(source, objects)
    dry = DryVolumes(PodFacts(subject.pod, subject.place, subject.objects), None)
    dry.prepare()
    for name, top in dry.planned.items():
        foreseen, seen = volume_rows.planned(top), volume_rows.on_disk(f"{pod.directory.work}/volumes/{name}")
        if foreseen != seen:
            raise DifferentError(f"volume {name}: planned, then made\n{foreseen}\n{seen}")


def prove(options: argparse.Namespace, root: str) -> int:
    """The exit status."""
    choice = probe.choose(options.runtime, root)
    cgroups = Cgroups.here()
    mount_namespace.enter(choice.needs_private_cgroup_mounts)
    state, report = State(root), Reasons()
    images = ImageStore(root)
    names = odd_images.build_all(images, tempfile.mkdtemp(dir=root))
    oci = OciRuntime(choice.engine, f"{state.oci}/{choice.kind}", cgroups)
    here = {
        defaults: Machine(
            msgspec.structs.replace(
                machine.gather(choice.kind, defaults),
                memory=machine.memory(),
                recursive_read_only=choice.recursive_read_only,
            ),
            state,
            images,
            oci,
            report,
            cgroup_v2=choice.cgroup == "v2",
            cgroups=cgroups,
        )
        for defaults in ("containerd", "cri-o", "docker")
    }
    proof = Proof(here, random_pods.objects(f"{root}/disks"), report)
    checks: dict[str, Callable[[random_pods.Manifest], None]] = {name: partial(proof.check, name) for name in here}
    with ExitStack() as ends:
        if options.through:
            for name, of_defaults in here.items():
                server = through_cri.Server(root, name, choice.kind)
                ends.callback(server.end)
                checks[name] = partial(proof.check_through, through_cri.ThroughCri(of_defaults, server))
        code = prove_all(checks, random_pods.pods(names, odd_images.ENTRIES), options)
    if code == 0:
        print(f"{proof.refused} more were refused; {proof.containers} containers were compared, run by {choice.kind}")
    print(f"{proof.ran + code} pods, {code} differ")
    return code


def prove_all(
    checks: dict[str, Callable[[random_pods.Manifest], None]],
    pods: st.SearchStrategy[random_pods.Manifest],
    options: argparse.Namespace,
) -> int:
    """Have random Pods checked, with the defaults of a runtime by chance; the number that differ: 0, or 1 at most."""
    last: list[object] = []
    with tempfile.TemporaryDirectory(prefix="podward-prove-") as directory:
        maps_memory = not trials.attempt(trials.idmapped_mount(directory, memory=True))

    @settings(
        max_examples=options.pods,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(pods, st.sampled_from(tuple(checks)))
    def random_pods_are_what_was_predicted(manifest: random_pods.Manifest, defaults: str) -> None:
        last[:] = [manifest, defaults]
        try:
            checks[defaults](manifest)
        except NodeError as error:
            if maps_memory or error.advice != attach.UNMAPPABLE:
                raise
            reject()  # a kernel before 6.3: user namespaces go without volumes in memory

    seeded = random_pods_are_what_was_predicted
    try:
        (seeded if options.seed is None else seed(options.seed)(seeded))()
    except DifferentError as difference:
        print("what differs in the smallest Pod that differs, with the defaults of", last[1])
        print(difference)
        print(msgspec.json.format(msgspec.json.encode(last[0]), indent=2).decode())
        return 1
    return 0


def main() -> int:
    """Parse the words, prove in a state directory of its own, leave nothing."""
    parser = argparse.ArgumentParser(description="random Pods: predicted against observed")
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--runtime", default=probe.AUTO)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--through", choices=("cri",), help="have `podward cri` run them")
    options = parser.parse_args()
    if os.geteuid():
        from podward.runtime.rootless import entering

        entering.enter()
    with tempfile.TemporaryDirectory(prefix="podward-prove-") as root:
        return prove(options, root)


if __name__ == "__main__":
    sys.exit(main())
