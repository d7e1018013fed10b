"""Starting a container's monitor, and speaking to it: conmon, which outlives whoever started it.

Specification (conmon 2.1, in our words). It has the OCI runtime create the container and reaps it as a subreaper. On
the sync pipe it writes one line of JSON: `data` is the pid of the container's first process, or negative where there is
none, and `message` what the runtime said. From then on it writes what the container prints to its log and to whoever is
attached, and at the end the exit code to a file: in the directory of all exits, under the container's id, and in
`--persist-dir`. Where the kernel killed for want of memory there is a file `oom`.

In the bundle it makes `attach`, a socket of packets, and the pipes `ctl`, which takes lines `KIND HEIGHT WIDTH`, and
`winsz`. With `--sync` it does not fork itself: the process that is started is the monitor.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

import msgspec
from msgspec import Struct

from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import probe, processes
from podward.runtime.kept import Process, start_time
from podward.runtime.oci import Engine, last_message

PROGRAM = "conmon"
REOPEN_LOG = b"2 0 0\n"
_SYNC = 3
"""The descriptor of the sync pipe in the monitor."""
_LONGEST_ANSWER = 1 << 20
_PATIENCE = 5.0


class Monitored(Struct, frozen=True):
    """A container that a monitor has created."""

    monitor: Process
    process: Process


class Wanted(Struct, frozen=True):
    """What is told to a monitor. `log` is the file for what the container prints, empty for none.

    `state` is the directory of the OCI runtime's state, `exits` the one for exit codes, `bundle` the container's.
    """

    container: str
    bundle: str
    engine: Engine
    state: str
    exits: str
    log: str = ""
    terminal: bool = False
    stdin: bool = False
    stdin_once: bool = False

    def words(self) -> tuple[str, ...]:
        """The monitor's arguments."""
        log = ("--log", f"{self.bundle}/runtime.log", "--log-format", "json")
        of_runtime = (*self.engine.arguments, "--root", self.state, *log)
        switches = (
            ("--terminal", self.terminal),
            ("--stdin", self.stdin),
            ("--leave-stdin-open", self.stdin and (self.terminal or not self.stdin_once)),
        )
        return (
            *("--api-version", "1", "--sync", "--no-sync-log", "--full-attach"),
            *("--cid", self.container, "--cuuid", self.container, "--name", self.container),
            *("--bundle", self.bundle, "--persist-dir", self.bundle, "--exit-dir", self.exits),
            *("--container-pidfile", f"{self.bundle}/pid"),
            *("--log-path", f"k8s-file:{self.log}" if self.log else "none"),
            *("--runtime", self.engine.program),
            *(word for each in of_runtime for word in ("--runtime-arg", each)),
            *(switch for switch, wanted in switches if wanted),
        )


class _Said(Struct, frozen=True):
    data: int
    message: str = ""


def create(wanted: Wanted) -> Monitored:
    """Start a monitor and have it create the container, whose bundle has its config.json.

    Raises RuntimeFailedError with what the OCI runtime said, NodeError where there is no conmon. The monitor gets no
    descriptor of ours but its pipe.
    """
    program = probe.find(PROGRAM)
    if not program:
        raise NodeError("containers of the CRI need conmon", where=PROGRAM, advice="`apt install conmon`")
    read, write = os.pipe2(os.O_CLOEXEC)
    bundle = os.open(wanted.bundle, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            monitor = _spawn(program, wanted, write, bundle)
        finally:
            os.close(write)
        said = _answer(read)
    finally:
        os.close(read)
        os.close(bundle)
    if said is None or said.data <= 0:
        processes.end(monitor)
        heard = last_message(f"{wanted.bundle}/runtime.log")
        what = heard or (said.message.strip() if said else "") or "its monitor ended without a word"
        raise RuntimeFailedError(what, where=f"{wanted.engine.kind} create")
    return Monitored(Process(monitor, start_time(monitor)), Process(said.data, start_time(said.data)))


def _spawn(program: str, wanted: Wanted, sync: int, bundle: int) -> int:
    # The terminal's socket is made below TMPDIR, and its path may have 107 bytes only: so it is named through our
    # descriptor of the bundle, which is open until the container is created.
    environment = {
        "PATH": os.environ.get("PATH") or os.defpath,
        "TMPDIR": f"/proc/{os.getpid()}/fd/{bundle}",
        "_OCI_SYNCPIPE": str(_SYNC),
    }
    for name in ("XDG_RUNTIME_DIR", "HOME"):  # crun keeps state there without root, and runc looks for it
        if name in os.environ:
            environment[name] = os.environ[name]
    actions = (
        *((os.POSIX_SPAWN_OPEN, target, "/dev/null", os.O_RDWR, 0) for target in (0, 1, 2)),
        (os.POSIX_SPAWN_DUP2, sync, _SYNC),
    )
    try:
        return os.posix_spawn(
            program,
            (program, *wanted.words()),
            environment,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD),
        )
    except OSError as error:
        raise NodeError(f"cannot start it: {error.strerror}", where=program, advice="`apt install conmon`") from error


def _answer(pipe: int) -> _Said | None:
    """The monitor's line; None where it ends without one, or takes too long."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    content, deadline = b"", time.monotonic() + processes.SECONDS
    while b"\n" not in content and len(content) < _LONGEST_ANSWER:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        part = os.read(pipe, 65536)
        if not part:
            return None
        content += part
    try:
        return msgspec.json.decode(content.partition(b"\n")[0], type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):  # it quotes what the runtime printed, whatever that was
        return None


# --- speaking to it ---------------------------------------------------------------------------------------------------


def tell(directory: str, line: bytes) -> bool:
    """Write a line to the monitor of the container in this directory; False where none listens."""
    try:
        pipe = os.open(f"{directory}/ctl", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return os.write(pipe, line) == len(line)
    except BlockingIOError:
        return False
    finally:
        os.close(pipe)


# --- ending it --------------------------------------------------------------------------------------------------------


def end(pids: tuple[int, ...]) -> None:
    """Kill these monitors and wait until they are gone; raises NodeError where one stays."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while left := [pid for pid in pids if start_time(pid)]:
        if time.monotonic() > deadline:
            raise NodeError(f"a container's monitor does not end: {left[0]}", where=PROGRAM)
        time.sleep(0.002)
