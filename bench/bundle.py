"""A prepared bundle of the demo's image, for bare OCI runtimes: what an engine has to give them anyway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

Mount = dict[str, str | list[str]]


class Bundle:
    """A bundle below `directory`, which has podward's state with one image in it; `holder` is for crun's needs."""

    def __init__(self, directory: str, command: list[str], mounts: tuple[Mount, ...] = ()) -> None:
        self.path = f"{directory}/bundle"
        self._holder: subprocess.Popen[bytes] | None = None
        os.mkdir(self.path)
        rootfs = next(iter(os.listdir(f"{directory}/podward/images/rootfs")))
        spec = {
            "ociVersion": "1.0.2",
            "process": {"args": command, "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"]},
            "root": {"path": f"{directory}/podward/images/rootfs/{rootfs}/rootfs"},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                *mounts,
            ],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
        }
        with open(f"{self.path}/config.json", "w", encoding="ascii") as file:
            json.dump(spec, file)

    def commands(self) -> dict[str, list[str]]:
        """How each OCI runtime that is here runs the bundle."""
        name = f"bench-{os.getpid()}"
        return {
            f"{runtime} run": [*self._where_it_works(runtime), runtime, "run", "--bundle", self.path, name]
            for runtime in ("crun", "runc")
            if shutil.which(runtime)
        }

    def _where_it_works(self, runtime: str) -> list[str]:
        """What comes before the command: crun 1.8 refuses cgroup v1 in hybrid mode.

        It gets a mount namespace without the unified hierarchy.

        The namespace is made beforehand; entering it is part of what is measured, and takes a millisecond.
        """
        if runtime != "crun" or not os.path.ismount("/sys/fs/cgroup/unified"):
            return []
        words = ["unshare", "--mount", "--propagation", "slave", "sleep", "infinity"]
        self._holder = subprocess.Popen(words)
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        while os.readlink(f"/proc/{self._holder.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
            time.sleep(0.001)
        time.sleep(0.05)  # unshare(1) still changes the propagation after it has its namespace
        subprocess.run([*enter, "mount", "-t", "tmpfs", "cover", "/sys/fs/cgroup/unified"], check=True)
        return enter

    def close(self) -> None:
        """End the process that holds crun's mount namespace."""
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
