"""The driver of the OCI runtime (crun or runc): create, start, kill, delete.

The runtime's own complaints go to a log file of the bundle, never into the container's streams. Its state lives below
Podward's own directory, so containers of other programs are never touched.
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.api.oci import Resources, RuntimeSpec
from podward.errors import RuntimeFailedError
from podward.runtime import apparmor, orphans, processes
from podward.runtime.cgroups import Cgroups
from podward.runtime.stop_signals import StopSignals
from podward.runtime.volumes import remove_tree

CANNOT_RUN, CANNOT_EXECUTE, NOT_FOUND = 128, 126, 127
"""Exit codes of a program that could not be started: the kubelet's, and what shells and podman make of a file that may
not be executed, or is not there."""


class Streams(Struct, frozen=True):
    """File descriptors for the container; -1 is /dev/null. `console` is the socket that its terminal is sent to."""

    stdin: int = -1
    stdout: int = -1
    stderr: int = -1
    console: str = ""


class Engine(Struct, frozen=True):
    """The OCI runtime that has the containers: its kind, its program, and the arguments before the verb."""

    kind: str
    program: str
    arguments: tuple[str, ...]


class OciRuntime:
    """The OCI runtime that was chosen, with its state directory.

    No call waits for it longer than `processes.SECONDS`, nor long after one of the `stop` signals. `cgroups` are where
    what it leaves of a container is ended.
    """

    def __init__(
        self, engine: Engine, state: str, cgroups: Cgroups | None = None, stop: StopSignals | None = None
    ) -> None:
        self.engine = engine
        """What another process needs to be this driver."""
        self.program = engine.program
        self._arguments = engine.arguments
        self.kind = engine.kind
        os.makedirs(state, mode=0o700, exist_ok=True)
        self.state = state
        self._cgroups = cgroups or Cgroups(())
        self.stop = stop or StopSignals()

    def create(self, container: str, bundle: str, spec: RuntimeSpec, streams: Streams) -> int:
        """Write the bundle's config and create the container: its process waits to be started. Returns its pid.

        The process becomes a child of the calling process, which must be a child subreaper.
        Raises RuntimeFailedError with what the runtime said, and for an AppArmor profile what `ensure` raises.
        """
        apparmor.ensure(spec.process.apparmor_profile)
        write_private(f"{bundle}/config.json", msgspec.json.encode(spec))
        pid_file = f"{bundle}/pid"
        console = ("--console-socket", streams.console) if streams.console else ()
        code = self._call(
            bundle,
            ("create", "--bundle", bundle, "--pid-file", pid_file, *console, container),
            streams,
        )
        if code:
            raise self._failure(bundle, "create")
        with open(pid_file, encoding="ascii") as file:
            return int(file.read())

    def start(self, container: str, bundle: str) -> None:
        """Let the created container's process execute its entry."""
        self.finish_start(self.begin_start(container, bundle), bundle)

    def begin_start(self, container: str, bundle: str) -> int:
        """Begin to start the container; returns the pid of the runtime that does it.

        Who traces the container's process must not wait for the runtime: the process may stop for its tracer first.
        """
        return processes.spawn(self.program, self._words(bundle, ("start", container)))

    def finish_start(self, pid: int, bundle: str) -> None:
        """Wait for what `begin_start` began; raises RuntimeFailedError with what the runtime said."""
        status = processes.wait_within(pid, processes.SECONDS, self.stop, f"{self.kind} start")
        if processes.exit_code(status):
            raise self._failure(bundle, "start")

    def update(self, container: str, bundle: str, resources: Resources) -> None:
        """Change the limits of the container's cgroup; raises RuntimeFailedError with what the runtime said."""
        file = f"{bundle}/resources-{os.getpid()}.json"
        write_private(file, msgspec.json.encode(resources))
        try:
            if self._call(bundle, ("update", "--resources", file, container), Streams()):
                raise self._failure(bundle, "update")
        finally:
            os.unlink(file)

    def holds_back(self, container: str) -> bool:
        """Whether the process of the created container waits to be started: crun and runc have a FIFO until then."""
        return os.path.exists(f"{self.state}/{container}/exec.fifo")

    def knows(self, container: str) -> bool:
        """Whether the runtime has any state of the container: crun and runc have a directory, runsc has files."""
        return any(name.startswith(container) for name in os.listdir(self.state))

    def kill(self, container: str) -> None:
        """Kill every process of the container, whatever it has done to keep that off; none is fine."""
        self._cgroups.kill(container)

    def delete(self, container: str, bundle: str) -> None:
        """End what is left of the container and forget it; one that never was is fine.

        What the runtime does not do of it is done here. Raises NodeError where a process or a cgroup stays.
        """
        try:
            deleted = self._call(bundle, ("delete", "--force", container), Streams()) == 0
        except RuntimeFailedError:
            deleted = False
        if not deleted:
            orphans.end(bundle)
        self._cgroups.end(container)
        if not deleted:
            remove_tree(f"{self.state}/{container}")

    def _call(self, bundle: str, words: tuple[str, ...], streams: Streams) -> int:
        pid = processes.spawn(
            self.program,
            self._words(bundle, words),
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
        )
        status = processes.wait_within(pid, processes.SECONDS, self.stop, f"{self.kind} {words[0]}")
        return processes.exit_code(status)

    def _words(self, bundle: str, words: tuple[str, ...]) -> tuple[str, ...]:
        log = ("--log", f"{bundle}/runtime.log", "--log-format", "json")
        return (*self._arguments, "--root", self.state, *log, *words)

    def _failure(self, bundle: str, verb: str) -> RuntimeFailedError:
        said = last_message(f"{bundle}/runtime.log") or "it said nothing"
        return RuntimeFailedError(said, where=f"{self.kind} {verb}")

    def begin_exec(self, container: str, files: str, streams: Streams) -> int:
        """Begin to run the process of the file `FILES.json` in the container; returns the runtime's pid.

        The runtime waits for the process and ends with its exit code; a process with a terminal it only starts, and
        leaves it to us as a child. The process's pid is written to `FILES.pid`, the runtime's complaint to `FILES.log`.
        """
        return self._begin_exec(container, files, streams, ("--detach",) if streams.console else ())

    def begin_detached_exec(self, container: str, files: str, streams: Streams) -> int:
        """The same for a process that is always left to us, with the very streams that it is given."""
        return self._begin_exec(container, files, streams, ("--detach",))

    def _begin_exec(self, container: str, files: str, streams: Streams, switches: tuple[str, ...]) -> int:
        log = ("--log", f"{files}.log", "--log-format", "json")
        console = ("--console-socket", streams.console) if streams.console else ()
        words = ("exec", "--process", f"{files}.json", "--pid-file", f"{files}.pid", *switches, *console, container)
        return processes.spawn(
            self.program,
            (*self._arguments, "--root", self.state, *log, *words),
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
        )


class _LogLine(Struct, frozen=True):
    msg: str = ""


_LONGEST_LOG = 8 << 20
_LONGEST_MESSAGE = 1000


def last_message(log: str) -> str:
    """The last message of a runtime's JSON log, printable and not too long; the text itself where it is no JSON."""
    from podward.render.escaping import printable  # most runs have no message, and start-up counts

    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LONGEST_LOG))
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            text = msgspec.json.decode(line, type=_LogLine).msg
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = line.decode("utf-8", "replace")
        if text := printable(text.strip()):
            return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"
    return ""


def code_of_failure(said: str) -> int:
    """The exit code for what the OCI runtime said when it could not start a program (crun 1.8, runc 1.1)."""
    if ("executable file" in said and "not found" in said) or "no such file or directory" in said.lower():
        return NOT_FOUND
    return CANNOT_EXECUTE if "ermission denied" in said else CANNOT_RUN


def write_private(file: str, content: bytes) -> None:
    """Write a file of mode 0600 that did not exist as a link before."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
