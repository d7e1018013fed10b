"""Checks of the OCI runtimes: each runs a real container.

The container is a busybox that prints its /proc/self/status. It has a seccomp filter and no capabilities; its output
shows whether the runtime and the kernel enforced both.
"""

from __future__ import annotations

import os
import shutil
import time

import msgspec

from podward.api import oci
from podward.errors import NodeError
from podward.runtime import mount_namespace, probe, processes
from podward.runtime.health import trials
from podward.runtime.health.health_check import MISSING, OK, HealthCheck, health_check
from podward.runtime.oci import write_private

_GROUP = "runtimes"
_LARGEST = 65536
_SHELL = "/bin/busybox"
_ENTRY = ("/bin/busybox", "cat", "/proc/self/status")


def run_each(directory: str, root: str) -> list[HealthCheck]:
    """A check for each runtime that is installed, and one for whether any of them can run ordinary Pods."""
    checks, works = [], []
    for kind in (*probe.PREFERRED, probe.SANDBOXED):
        if not probe.find(kind):
            continue
        began = time.monotonic()
        error = _trial(kind, f"{directory}/{kind}", root)
        took = (time.monotonic() - began) * 1000
        works += [kind] if not error and kind in probe.PREFERRED else []
        found = error or f"ran a container in {took:.0f} ms"
        otherwise = (f"{kind} cannot be used here", "see what it said; `apt install --reinstall " + kind + "`")
        checks.append(health_check((_GROUP, f"a container with {kind}"), MISSING if error else OK, found, otherwise))
    otherwise = ("no Pod can run", "apt install crun")
    found = f"{works[0]} is used" if works else "none works"
    checks.append(health_check((_GROUP, "an OCI runtime"), OK if works else MISSING, found, otherwise, required=True))
    return checks


def _trial(kind: str, directory: str, root: str) -> str:
    """Run a container; returns what went wrong, empty if nothing did."""
    if not os.path.exists(_SHELL):
        return "no trial without busybox: apt install busybox-static"
    try:
        choice = probe.choose(kind, root)
    except NodeError as error:
        return error.what
    os.makedirs(f"{directory}/bundle/rootfs/bin")
    for made in ("proc", "dev"):
        os.mkdir(f"{directory}/bundle/rootfs/{made}")
    shutil.copy(_SHELL, f"{directory}/bundle/rootfs/bin/busybox")
    write_private(f"{directory}/bundle/config.json", msgspec.json.encode(_spec()))
    failure = trials.attempt(lambda: _run(choice, directory))
    said = ""
    if os.path.exists(f"{directory}/out"):  # not where the trial failed before it started the runtime
        with open(f"{directory}/out", encoding="utf-8", errors="replace") as file:
            said = file.read(_LARGEST)
    if failure:
        last = said.strip().splitlines()[-1:] or [failure]
        return last[0][:300]
    return _verdict(kind, said)


def _run(choice: probe.RuntimeChoice, directory: str) -> None:
    """Run the container to its end; called in the child process of a trial."""
    mount_namespace.enter(choice.needs_private_cgroup_mounts)
    output = os.open(f"{directory}/out", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    name = f"podward-doctor-{os.getpid()}"
    state = ("--root", f"{directory}/state", *choice.arguments)
    try:
        words = (*state, "run", "--bundle", f"{directory}/bundle", name)
        code = processes.run(choice.path, words, stdout=output, stderr=output)
    finally:
        processes.run(choice.path, (*state, "delete", "--force", name))
    if code:
        raise OSError(0, f"it ended with {code}")


def _verdict(kind: str, status: str) -> str:
    """What was not enforced according to /proc/self/status, empty if nothing. gVisor reports only capabilities."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "CapEff" not in fields:
        return "the container printed no /proc/self/status"
    if int(fields["CapEff"], 16):
        return f"capabilities were not taken away: {fields['CapEff'].strip()}"
    if kind != probe.SANDBOXED and fields.get("Seccomp", "").strip() != "2":
        return "the seccomp filter was not loaded"
    if kind != probe.SANDBOXED and fields.get("NoNewPrivs", "").strip() != "1":
        return "no_new_privs was not set"
    return ""


def _spec() -> oci.RuntimeSpec:
    rule = oci.SeccompRule(names=("unshare",), action="SCMP_ACT_ERRNO")
    return oci.RuntimeSpec(
        oci_version="1.0.2",
        process=oci.Process(
            args=_ENTRY,
            cwd="/",
            user=oci.User(uid=65534, gid=65534),
            capabilities=oci.CapabilitySets(),
            no_new_privileges=True,
        ),
        root=oci.Root("rootfs", readonly=True),
        mounts=(oci.Mount("/proc", "proc", "proc"), oci.Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "mode=755"))),
        linux=oci.Linux(
            namespaces=tuple(oci.Namespace(kind) for kind in ("mount", "pid", "ipc", "uts", "network")),
            seccomp=oci.Seccomp("SCMP_ACT_ALLOW", syscalls=(rule,)),
        ),
    )
