"""What `podward run` does once its words and documents are read: prepare every Pod, run them, report."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from podward.api.process import ProcessState
from podward.cli import configuration, referenced, subjects, terminal
from podward.cli.next_commands import NextCommands
from podward.decision import Decision, Outcome, Violation
from podward.errors import UsageError
from podward.runtime import kept, mount_namespace, probe, sweep
from podward.runtime.cgroups import Cgroups
from podward.runtime.images.store import ImageStore
from podward.runtime.oci import OciRuntime
from podward.runtime.options import Machine, Refused, RunOptions
from podward.runtime.pod import PodRun
from podward.runtime.report import Reporter, TerminalReport
from podward.runtime.state import State, state_root
from podward.runtime.supervisor import Supervisor
from podward.schema.workload import PodSource

if TYPE_CHECKING:
    from podward.api.referenced_objects import ReferencedObjects
    from podward.cli.given_pods import GivenPods
    from podward.render.results import ContainerResult, ProcessUser, RunResult
    from podward.runtime.container import ContainerRun

REFUSED = 1
DIFFERENT = 1


def run(given: GivenPods, args: argparse.Namespace) -> int:
    """Run every Pod that the files bring about; returns the command's exit code."""
    require_consistent(args)
    sources = tuple(given.pods)
    report = RunReport(NextCommands(given, args), json=args.output == "json")
    objects = referenced.gather(tuple(given.documents), args)
    return _run_all(sources, objects, machine_to_run_on(args, report), args, report)


def require_consistent(args: argparse.Namespace) -> None:
    """Raise UsageError for words that do not go together."""
    if args.verify and args.runtime == probe.SANDBOXED:
        advice = "leave --verify out, or choose crun or runc"
        raise UsageError("a process inside gVisor can't be observed from outside", where="--verify", advice=advice)


def this_machine(args: argparse.Namespace, report: Reporter) -> Machine:
    """What Pods are run with here, in a mount namespace of our own; what a dead podward left is swept first.

    Raises NodeError where this user or this machine can't run Pods.
    """
    state = State(state_root())
    choice = probe.choose(args.runtime)
    cgroups = Cgroups.here()
    for pod, why in sweep.sweep(state, cgroups).left:
        terminal.say(f"note: what is left of Pod {pod}, which an earlier run left, can't be removed: {why}")
    mount_namespace.enter(choice.needs_private_cgroup_mounts)
    node = configuration.node_of(choice, args)
    runtime = OciRuntime(choice.engine, f"{state.oci}/{choice.kind}", cgroups)
    return Machine(
        node, state, ImageStore(state.root), runtime, report, cgroup_v2=choice.cgroup == "v2", cgroups=cgroups
    )


def machine_to_run_on(args: argparse.Namespace, report: Reporter) -> Machine:
    """The machine with the network that was asked for; without CNI plugins with none, which is told."""
    here = this_machine(args, report)
    if not args.network:
        return here
    if here.node.in_user_namespace:
        advice = (
            "leave --network out (Pods have the loopback device, or with hostNetwork the machine's), or run it as root"
        )
        raise UsageError("only root can give Pods a network of their own", where="--network", advice=advice)
    from podward.runtime.network import configuration as networks

    if not networks.plugins():
        terminal.say(
            f"note: no CNI plugins in {' or '.join(networks.DIRECTORIES)}: Pods have the loopback device alone"
        )
        return here
    return msgspec.structs.replace(here, cni_conf_dir=args.cni_conf_dir)


def _run_all(
    sources: tuple[PodSource, ...],
    objects: ReferencedObjects,
    here: Machine,
    args: argparse.Namespace,
    report: RunReport,
) -> int:
    pods: list[PodRun] = []
    stop = here.runtime.stop
    with stop.listen(), ExitStack() as cleanup:
        refused: list[Refused] = []
        try:
            for source in sources:
                pod = prepared(source, objects, here, args, alone=len(sources) == 1)
                cleanup.callback(pod.destroy)
                pods.append(pod)
                refusals = pod.prepare()
                refused += refusals
                complain(source, refusals, report.commands)
        except KeyboardInterrupt:
            return stop.exit_code
        finally:
            stop.note(1)
        if any(refusal.of_the_pod for refusal in refused):
            return REFUSED
        code = Supervisor(tuple(pods), report, stop, stdin=0).run()
        return report.finish(tuple(pods), code) or (REFUSED if refused else 0)


def prepared(
    source: PodSource, objects: ReferencedObjects, here: Machine, args: argparse.Namespace, *, alone: bool
) -> PodRun:
    """The Pod of a source, defaulted and validated, with nothing set aside yet but its directory.

    Raises InputError with everything that the API server refuses in it.
    """
    subjects.tell_old_annotations(source)
    subject = subjects.subject(source, objects, new_uid())
    if not here.node.cgroups:
        _tell_of_limits(source)
    # A policy that nobody wrote would restart containers for ever; whoever writes one gets it.
    written = source.view.spec.restart_policy
    options = RunOptions(
        restart_policy=args.restart or written or "Never",
        for_every_container=bool(args.restart),
        keep=args.keep,
        verify=args.verify,
        stdout=2 if args.output == "json" else 1,
        name_lines=not alone,
        document=msgspec.json.encode(source.document.raw) if args.keep else b"null",
        options=_options(args) if args.keep else kept.Options(),
    )
    return PodRun(here, options, subject)


def _tell_of_limits(source: PodSource) -> None:
    """A note where a Pod has limits that nothing enforces."""
    spec = source.view.spec
    limited = [
        c.name for c in (*(spec.init_containers or ()), *(spec.containers or ())) if c.resources and c.resources.limits
    ]
    if limited or (spec.resources and spec.resources.limits):
        whose = f" of {', '.join(limited)}" if limited else ""
        terminal.say(f"note: Pod {source.name}: the limits{whose} are not enforced: no cgroups can be made here")


def _options(args: argparse.Namespace) -> kept.Options:
    return kept.Options(
        args.runtime,
        args.runtime_defaults,
        args.seccomp_default,
        os.path.abspath(args.seccomp_root),
        args.allowed_unsafe_sysctls,
    )


def new_uid() -> str:
    """A random UUID (RFC 9562, version 4), as the API server gives one to every object."""
    digits = os.urandom(16).hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
    )


def complain(source: PodSource, refusals: tuple[Refused, ...], commands: NextCommands) -> None:
    """The Pod or the containers that were refused, on standard error: each with its line; then what to type."""
    for refusal in refusals:
        who = f"Pod {source.name}" + (f", container {refusal.container}" if refusal.container else "")
        for violation in refusal.decision.violations:
            terminal.say(f"{_where(source, violation)}: {who}: {violation.reason}")
    commands.after_refusals(source, refusals)


def _where(source: PodSource, violation: Violation) -> str:
    return f"{source.document.where(violation.path)}: {violation.path}"


class RunReport(TerminalReport):
    """Events on standard error; at the end, with `-o json`, one document on standard output."""

    def __init__(self, commands: NextCommands, *, json: bool) -> None:
        self.commands = commands
        self._json = json
        self._different = 0

    def failed_to_start(self, container: str, reason: str) -> None:
        """Print why, and the command that tells more."""
        super().failed_to_start(container, reason)
        self.commands.after_failed_start(container, reason)

    def printed_denial(self, container: str, printed: bytes) -> None:
        """Print the command that tells which rule has denied it."""
        self.commands.after_output(container, printed)

    def observed(self, container: str, predicted: Outcome[ProcessState] | Decision | None, seen: ProcessState) -> None:
        """Print the table of predicted and observed values."""
        from podward.render import verify

        if not isinstance(predicted, Outcome):
            why = predicted.violations[0].reason if predicted else ""
            terminal.say(f"{container}: it was predicted that it can't start: {why}")
            self._different += 1
            return
        self._different += len(verify.differences(predicted.value, seen))
        if not self._json:
            table = verify.table(container, verify.rows(predicted.value, seen), terminal.columns(sys.stderr))
            sys.stderr.write(table)
            sys.stderr.flush()

    def finish(self, pods: tuple[PodRun, ...], code: int) -> int:
        """The exit code; a prediction that was wrong is a failure of its own."""
        if self._json:
            from podward.render.escaping import printable_json

            sys.stdout.write(printable_json(msgspec.json.encode(_results(pods, code)).decode()) + "\n")
        return code or (DIFFERENT if self._different else 0)


def _results(pods: tuple[PodRun, ...], code: int) -> RunResult:
    from podward.render.results import PodResult, RunResult

    return RunResult(
        code,
        tuple(
            PodResult(
                pod.name,
                pod.namespace,
                pod.exit_code,
                tuple(_container_result(container) for container in pod.containers),
            )
            for pod in pods
        ),
    )


def _container_result(container: ContainerRun) -> ContainerResult:
    from podward.render.results import ContainerResult
    from podward.render.verify import differences

    seen, predicted = container.observed, container.predicted
    user = _user(seen) if seen is not None else None
    foreseen = predicted.value if isinstance(predicted, Outcome) else None
    different = differences(foreseen, seen) if foreseen is not None and seen is not None else ()
    return ContainerResult(
        container.name,
        container.kind,
        container.exit_code,
        container.restarts,
        user,
        foreseen,
        seen,
        tuple(row.field for row in different),
    )


def _user(seen: ProcessState) -> ProcessUser:
    """Who the process is in the Pod's user namespace, as CRI's ContainerUser says it: /proc shows the host's ids."""
    from podward.render.results import ProcessUser

    return ProcessUser(
        _inside(seen.uid[0], seen.uid_map),
        _inside(seen.gid[0], seen.gid_map),
        tuple(_inside(group, seen.gid_map) for group in seen.groups),
    )


def _inside(number: int, mapped: tuple[tuple[int, int, int], ...]) -> int:
    """The id in the namespace of one of the host; where none is mapped, what the kernel shows there."""
    return next((inside + number - host for inside, host, count in mapped if host <= number < host + count), _OVERFLOW)


_OVERFLOW = 65534
