"""An ordinary user for tests that root runs: a uid with a name, a home and ranges of ids, in a mount namespace alone.

    python ordinary_user.py UID RANGES DIRECTORY -- COMMAND [ARGUMENT …]

The machine's own /etc is not touched: an overlay over it has the user's lines. DIRECTORY becomes the user's home, and
the clone is at /mnt/clone, wherever it is and whoever may read there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from podward.runtime import syscalls

PROJECT = Path(__file__).parent.parent.parent
CLONE, HOME = "/mnt/clone", "/mnt/home"
LOCKED = "/mnt/locked"
"""A mount of the machine with flags that a user can't clear."""
NAME = "pod-user"


class OrdinaryUser:
    """A user with ranges of subordinate ids, each `FIRST:COUNT`, and a directory that is his home."""

    def __init__(self, uid: int, directory: Path, *ranges: str) -> None:
        self.uid = uid
        self.directory = directory
        self._ranges = ",".join(ranges)

    def words(self, *words: str) -> tuple[str, ...]:
        """The words that call a command of his."""
        return (sys.executable, __file__, str(self.uid), self._ranges, str(self.directory), "--", *words)

    def podward(self, *words: str) -> tuple[str, ...]:
        """The words that call his `podward`."""
        return self.words(f"{CLONE}/.venv/bin/python", "-m", "podward", *words)

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `podward` with these words."""
        return subprocess.run(
            self.podward(*words), input=stdin, capture_output=True, text=True, timeout=100, check=False
        )

    def with_images(self, *wanted: str) -> Self:
        """The user with the example images of these directories, or with all."""
        import build_images  # where this file is the user's first program, its directory is not on the path

        context = self.directory / "context"
        context.mkdir(parents=True)
        build_images.prepare(str(context))
        for place in (context, *context.rglob("*")):
            os.lchown(place, self.uid, self.uid)
        for directory in wanted or build_images.IMAGES:
            file = f"{CLONE}/examples/images/{directory}/Containerfile"
            built = self.run("image", "build", "-f", file, "-t", build_images.IMAGES[directory], f"{HOME}/context")
            assert built.returncode == 0, built.stderr
        return self

    def wait_for_the_end(self) -> None:
        """Wait until nothing runs for him any more."""
        deadline = time.monotonic() + 30
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left == []

    def processes(self) -> list[str]:
        """The command lines of what runs as him or in a user namespace of his, zombies left out."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                status = Path(f"/proc/{entry}/status").read_text(encoding="ascii", errors="replace")
                words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            (uid,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))
            if words and any(first <= uid < first + count for first, count in self._ids()):
                found.append(f"{entry} {words}")
        return found

    def _ids(self) -> Iterator[tuple[int, int]]:
        yield self.uid, 1
        for each in filter(None, self._ranges.split(",")):
            first, _, count = each.partition(":")
            yield int(first), int(count)

    @contextmanager
    def started(self, *words: str, stdin: str = "") -> Iterator[subprocess.Popen[str]]:
        """His `podward` while it runs; it is interrupted in the end if it still does."""
        with subprocess.Popen(
            self.podward(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                if process.stdin is not None:
                    process.stdin.write(stdin)
                    process.stdin.close()
                yield process
            finally:
                process.send_signal(signal.SIGTERM)


def main(uid: int, ranges: str, directory: str, command: list[str]) -> None:
    """Become the user and execute the command."""
    os.makedirs(f"{directory}/run", exist_ok=True)
    for place in (directory, f"{directory}/run"):
        os.chown(place, uid, uid)
        os.chmod(place, 0o700)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
    syscalls.mount("test", "/mnt", "tmpfs", 0, "mode=755")
    for place in (CLONE, HOME, "/mnt/etc", "/mnt/etc/upper", "/mnt/etc/work"):
        os.mkdir(place)
    syscalls.mount(str(PROJECT), CLONE, "", syscalls.MS_BIND | syscalls.MS_REC, "")
    syscalls.mount(directory, HOME, "", syscalls.MS_BIND, "")
    os.makedirs(LOCKED)
    syscalls.mount("test", LOCKED, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC, "mode=1777")
    syscalls.mount("test", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/mnt/etc/upper,workdir=/mnt/etc/work")
    _add("passwd", f"{NAME}:x:{uid}:{uid}::{HOME}:/bin/sh\n")
    _add("group", f"{NAME}:x:{uid}:\n")
    for file in ("subuid", "subgid"):
        _add(file, "".join(f"{NAME}:{each}\n" for each in ranges.split(",") if each))
    os.setgroups(())
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.chdir(HOME)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": HOME,
        "XDG_RUNTIME_DIR": f"{HOME}/run",
        "PYTHONPATH": f"{CLONE}/src",
        "COLUMNS": "100",
    }
    os.execvpe(command[0], command, environment)  # noqa: S606  # there is no shell to start


def _add(file: str, lines: str) -> None:
    with open(f"/etc/{file}", "a", encoding="ascii") as opened:
        opened.write(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[5:])
