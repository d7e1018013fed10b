"""What a Pod is run with: the machine, and what the caller wished beside the manifest."""

from __future__ import annotations

from msgspec import Struct

from podward.api.node import Node
from podward.decision import Decision
from podward.runtime.cgroups import Cgroups
from podward.runtime.images.store import ImageStore
from podward.runtime.kept import Options
from podward.runtime.oci import OciRuntime
from podward.runtime.report import Reporter
from podward.runtime.state import State


class Machine(Struct, frozen=True):
    """What every Pod of a call is run with.

    `cgroup_v2`: whether the OCI runtime finds a pure cgroup2 hierarchy; `cgroups`: where containers are ended.
    `cni_conf_dir`: where the network that Pods get through CNI plugins is configured; empty: they have loopback alone.
    """

    node: Node
    state: State
    images: ImageStore
    runtime: OciRuntime
    report: Reporter
    cgroup_v2: bool = False
    cgroups: Cgroups = Cgroups(())
    cni_conf_dir: str = ""


class RunOptions(Struct, frozen=True):
    """What the caller asked for beside the manifest.

    `verify` observes each container's process as it executes; `stdout` and `stderr` are where output goes;
    `name_lines` puts the container's name before each line. `document` and `options` are what is remembered of a kept
    Pod: the manifest as JSON, and the words of the command line. `restart_policy` counts for containers without one of
    their own, and for all of them where `for_every_container` is set.
    """

    restart_policy: str
    for_every_container: bool = False
    keep: bool = False
    verify: bool = False
    stdout: int = 1
    stderr: int = 2
    name_lines: bool = False
    document: bytes = b"null"
    options: Options = Options()


class Refused(Struct, frozen=True):
    """What was refused, about the Pod or about one container of this kind."""

    container: str
    decision: Decision
    kind: str = ""

    @property
    def of_the_pod(self) -> bool:
        """Whether the Pod does not run: an ephemeral container may be refused in a Pod that does."""
        return self.kind != "ephemeral"
