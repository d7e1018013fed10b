"""The whole runtime spec: that it folds, that it says who decided, and that real OCI runtimes do what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.capability import NAMES
from podward.api.cri import (
    Capability,
    ContainerConfig,
    IDMapping,
    KeyValue,
    LinuxContainerConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    Mount,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxMetadata,
    SecurityProfile,
    SELinuxOption,
    UserNamespace,
)
from podward.api.image import GroupEntry, Image, ImageConfig, PasswdEntry
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, Origin, Source, assign
from podward.path import path
from podward.policy.runtime.defaults import NAMES as RUNTIMES
from podward.stages import oci

IMAGE = Image(
    "busybox",
    "id",
    config=ImageConfig(user="app", cmd=("/bin/busybox", "id"), env=("A=1",), working_dir="/tmp"),  # noqa: S108
    passwd=(PasswdEntry("root", 0, 0, "/root", 1), PasswdEntry("app", 1000, 2000, "/home/app", 2)),
    group=(GroupEntry("root", 0, (), 1), GroupEntry("big", 50000, ("app",), 2)),
)
FILES = {"passwd": "root:x:0:0::/root:/bin/sh\napp:x:1000:2000::/home/app:/bin/sh\n", "group": "root:x:0:\n"}
MASKED = ("/proc/kcore", "/proc/keys", "/sys/firmware")
READONLY = ("/proc/sys", "/proc/bus")
CONTAINER = NamespaceOption(pid="CONTAINER")


def facts(
    context: LinuxContainerSecurityContext,
    rootfs: str = "/rootfs",
    cgroups_path: str = "",
    defaults: str = "containerd",
) -> oci.OciFacts:
    """A container of the image on this machine."""
    with open("/proc/self/status", encoding="ascii") as status:
        capabilities = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    with open("/proc/self/oom_score_adj", encoding="ascii") as score:
        inherited = int(score.read())
    return oci.OciFacts(
        config=ContainerConfig(linux=LinuxContainerConfig(security_context=context)),
        sandbox=PodSandboxConfig(
            PodSandboxMetadata("pod", "uid", "ns"),
            hostname="pod",
            linux=LinuxPodSandboxConfig(
                security_context=LinuxSandboxSecurityContext(
                    namespace_options=context.namespace_options, privileged=context.privileged
                )
            ),
        ),
        image=IMAGE,
        node=Node(capabilities, kernel=os.uname().release, runtime_defaults=defaults),
        host=oci.HostFacts(rootfs, cgroups_path, cgroup_v2=False, oom_score_adj=inherited),
        origin=Decision(),
    )


Run = Callable[[str, oci.OciFacts, str], "subprocess.CompletedProcess[str]"]
"""An OCI runtime, facts, and a line for the container's shell; what came of it."""


@pytest.fixture
def cgroup() -> Iterator[str]:
    """A cgroup's path that is nobody else's, gone afterwards in all hierarchies."""
    name = f"/podward-test-{uuid.uuid4().hex}"
    yield name
    for hierarchy in os.listdir("/sys/fs/cgroup"):
        place = f"/sys/fs/cgroup/{hierarchy}{name}"
        if os.path.isdir(place):
            os.rmdir(place)


@pytest.fixture
def rootfs(tmp_path: Path) -> str:
    root = tmp_path / "rootfs"
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        (root / name).mkdir(parents=True)
    tmp_path.chmod(0o755)
    root.chmod(0o755)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "bin" / "sh").symlink_to("busybox")
    for name, content in FILES.items():
        (root / "etc" / name).write_text(content)
    return str(root)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a line in a container; crun needs a mount namespace without the unified hierarchy where both kinds exist."""

    def container(program: str, about: oci.OciFacts, line: str) -> subprocess.CompletedProcess[str]:
        config = msgspec.structs.replace(about.config, command=("/bin/sh", "-c", line))
        decision = oci.decide(msgspec.structs.replace(about, config=config))
        assert not decision.violations
        (tmp_path / "config.json").write_bytes(msgspec.json.encode(decision.fold(RuntimeSpec)))
        script = 'u=/sys/fs/cgroup/unified; mountpoint -q $u && mount -t tmpfs cover $u; exec "$@"'
        runtime = (
            program,
            "--root",
            str(tmp_path / "state"),
            "run",
            "--bundle",
            str(tmp_path),
            about.host.cgroups_path[1:],
        )
        return subprocess.run(
            ("unshare", "--mount", "sh", "-c", script, "sh", *runtime),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    return container


def status(text: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


BOTH = pytest.mark.parametrize("program", ["crun", "runc"])
REAL = pytest.mark.needs("root", "crun", "runc", "busybox")


@REAL
@BOTH
@pytest.mark.parametrize("defaults", RUNTIMES)
def test_the_process_is_who_the_spec_says(program: str, defaults: str, run: Run, rootfs: str, cgroup: str) -> None:
    context = LinuxContainerSecurityContext(
        run_as_user=1000,
        supplemental_groups=(4000,),
        no_new_privs=True,
        namespace_options=CONTAINER,
        seccomp=SecurityProfile("RuntimeDefault"),
        masked_paths=MASKED,
        readonly_paths=READONLY,
    )
    about = facts(context, rootfs, cgroup, defaults)
    done = run(program, about, "id; hostname; pwd; echo $A; cat /proc/self/status")
    assert done.returncode == 0, done.stderr
    first, hostname, directory, variable, rest = done.stdout.split("\n", 4)
    order = "2000,4000,50000" if defaults == "containerd" else "2000,50000,4000"
    assert first.startswith("uid=1000(app) gid=2000 groups=")
    assert sorted(first.partition("groups=")[2].split(",")) == sorted(order.split(","))
    assert (hostname, directory, variable) == ("pod", "/tmp", "1")  # noqa: S108
    seen = status(rest)
    bounding = oci.decide(about).fold(RuntimeSpec).process.capabilities
    assert bounding is not None
    assert int(seen["CapBnd"], 16) == sum(1 << NAMES.index(name) for name in bounding.bounding)
    assert (seen["CapInh"], seen["CapAmb"], seen["CapEff"]) == ("0" * 16,) * 3
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")


@REAL
@BOTH
def test_an_image_s_user_and_another_group(program: str, run: Run, rootfs: str, cgroup: str) -> None:
    of_image = run(program, facts(LinuxContainerSecurityContext(), rootfs, cgroup), "id -u; id -g; echo $HOME")
    assert of_image.stdout == "1000\n2000\n/home/app\n", of_image.stderr
    grouped = LinuxContainerSecurityContext(run_as_user=7, run_as_group=3000, supplemental_groups_policy="Strict")
    asked = run(program, facts(grouped, rootfs, cgroup), "id -u; id -g; id -G")
    assert asked.stdout == "7\n3000\n3000\n", asked.stderr


@REAL
@BOTH
@pytest.mark.parametrize(
    ("profile", "add", "denied"),
    [("Unconfined", (), False), ("RuntimeDefault", (), True), ("RuntimeDefault", ("SYS_ADMIN",), False)],
)
def test_containerd_s_filter_denies_unshare_without_sys_admin(
    request: pytest.FixtureRequest, program: str, profile: str, add: tuple[str, ...], *, denied: bool
) -> None:
    run: Run = request.getfixturevalue("run")
    context = LinuxContainerSecurityContext(
        run_as_user=0,
        capabilities=Capability(add=add),
        seccomp=SecurityProfile(profile),
        namespace_options=CONTAINER,
    )
    about = facts(context, request.getfixturevalue("rootfs"), request.getfixturevalue("cgroup"))
    # Anybody may make a user namespace: only the filter can refuse it.
    done = run(program, about, "/bin/busybox unshare -U /bin/busybox true")
    assert (done.returncode != 0) == denied, done.stderr
    assert ("Operation not permitted" in done.stderr) == denied


@REAL
@BOTH
def test_paths_are_masked_and_read_only(program: str, run: Run, rootfs: str, cgroup: str) -> None:
    context = LinuxContainerSecurityContext(
        run_as_user=0, masked_paths=MASKED, readonly_paths=READONLY, readonly_rootfs=True, namespace_options=CONTAINER
    )
    line = (
        "wc -c </proc/keys; ls /sys/firmware | wc -l; echo x >/proc/sys/kernel/domainname || echo x >/file || echo ro"
    )
    done = run(program, facts(context, rootfs, cgroup), line)
    assert done.stdout.split() == ["0", "0", "ro"], done.stderr


@REAL
@BOTH
def test_privileged_is_everything_without_a_filter(program: str, run: Run, rootfs: str, cgroup: str) -> None:
    context = LinuxContainerSecurityContext(
        run_as_user=0, privileged=True, seccomp=SecurityProfile("RuntimeDefault"), namespace_options=CONTAINER
    )
    about = facts(context, rootfs, cgroup)
    seen = status(run(program, about, "cat /proc/self/status").stdout)
    assert int(seen["CapEff"], 16) == about.node.capabilities
    assert seen["Seccomp"] == "0"


def test_the_plain_spec_of_containerd() -> None:
    spec = oci.decide(facts(LinuxContainerSecurityContext(), "/run/c/rootfs", "/kubepods/c")).fold(RuntimeSpec)
    assert (spec.oci_version, spec.root.path, spec.root.readonly) == ("1.0.2", "/run/c/rootfs", False)
    assert spec.process.args == ("/bin/busybox", "id")
    assert spec.linux.cgroups_path == "/kubepods/c"
    assert spec.linux.seccomp is None
    assert spec.hostname == "pod"
    assert spec.annotations["io.kubernetes.cri.sandbox-namespace"] == "ns"
    assert [mount.destination for mount in spec.mounts[:2]] == ["/proc", "/dev"]


def test_every_rule_has_its_say() -> None:
    decided = {str(a.path) for a in oci.decide(facts(LinuxContainerSecurityContext(), cgroups_path="/c")).assignments}
    assert {
        *("ociVersion", "root.path", "root.readonly", "hostname", "mounts[0]", "process.args", "process.cwd"),
        *("process.env[0]", "process.terminal", "process.user.uid", "process.user.gid", "process.rlimits"),
        *("process.user.additionalGids[0]", "process.capabilities.bounding", "process.noNewPrivileges"),
        *("process.oomScoreAdj", "linux.namespaces[0]", "linux.maskedPaths", "linux.readonlyPaths", "linux.seccomp"),
        *("linux.cgroupsPath", "linux.resources.devices"),
    } <= decided


def test_a_value_of_the_message_keeps_its_manifest_s_line() -> None:
    manifest = Source(Origin.MANIFEST, "pod.yaml", path("spec", "securityContext", "runAsUser"))
    about = msgspec.structs.replace(
        facts(LinuxContainerSecurityContext(run_as_user=5)),
        origin=assign(path("linux", "securityContext", "runAsUser"), 5, "asked for", manifest),
    )
    decided = oci.decide(about).assignment(path("process", "user", "uid"))
    assert decided is not None
    assert decided.source == manifest


def test_several_refusals_are_all_said() -> None:
    context = LinuxContainerSecurityContext(
        run_as_username="ghost",
        apparmor=SecurityProfile("Localhost", "mine"),
        seccomp=SecurityProfile("Localhost", "/gone.json"),
    )
    reasons = [violation.reason for violation in oci.decide(facts(context)).violations]
    assert reasons == [
        "no users found",
        "Cannot enforce AppArmor: AppArmor is not enabled on the host",
        'cannot load seccomp profile "/gone.json": it is not there or can\'t be read',
    ]


IDS = st.integers(0, (1 << 31) - 1)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
LISTS = st.lists(st.sampled_from(("ALL", "all", "NET_ADMIN", "sys_admin", "CAP_KILL", "FLY", "CHOWN")), max_size=3)
PROFILES = st.none() | st.builds(
    SecurityProfile, st.sampled_from(("RuntimeDefault", "Unconfined", "Localhost")), st.sampled_from(("", "/p.json"))
)
MODES = st.sampled_from(("POD", "CONTAINER", "NODE"))
LINES = st.just((IDMapping(0, 65536, 65536),))
NAMESPACES = st.builds(
    NamespaceOption,
    network=st.sampled_from(("POD", "NODE")),
    pid=MODES,
    ipc=st.sampled_from(("POD", "NODE")),
    userns_options=st.none() | st.builds(UserNamespace, st.sampled_from(("POD", "NODE")), LINES, LINES),
)
CONTEXTS = st.builds(
    LinuxContainerSecurityContext,
    capabilities=st.none() | st.builds(Capability, add=LISTS.map(tuple), drop=LISTS.map(tuple)),
    privileged=st.booleans(),
    namespace_options=st.none() | NAMESPACES,
    selinux_options=st.none() | st.builds(SELinuxOption, level=st.sampled_from(("", "s0:c1,c2", "bad"))),
    run_as_user=st.none() | IDS,
    run_as_group=st.none() | IDS,
    run_as_username=st.sampled_from(("", "app", "ghost")),
    readonly_rootfs=st.booleans(),
    supplemental_groups=st.lists(IDS, max_size=3).map(tuple),
    supplemental_groups_policy=st.sampled_from(("Merge", "Strict")),
    no_new_privs=st.booleans(),
    masked_paths=st.sampled_from(((), MASKED)),
    readonly_paths=st.sampled_from(((), READONLY)),
    seccomp=PROFILES,
    apparmor=PROFILES,
)
MOUNTS = st.builds(
    Mount,
    st.sampled_from(("/data", "/data/deep", "/dev", "/etc/hosts", "/sys", "/")),
    st.just("/volume"),
    st.booleans(),
    st.booleans(),
    propagation=st.sampled_from(("PROPAGATION_PRIVATE", "PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL")),
)
CONFIGS = st.builds(
    ContainerConfig,
    command=st.lists(WORDS, max_size=2).map(tuple),
    args=st.lists(WORDS, max_size=2).map(tuple),
    working_dir=st.sampled_from(("", "/work")),
    envs=st.lists(st.builds(KeyValue, st.sampled_from(("A", "B", "PATH", "HOME")), WORDS), max_size=4).map(tuple),
    mounts=st.lists(MOUNTS, max_size=4).map(tuple),
    tty=st.booleans(),
    linux=st.builds(
        LinuxContainerConfig,
        resources=st.builds(
            LinuxContainerResources,
            memory_limit_in_bytes=st.integers(0, 1 << 40),
            cpu_shares=st.integers(0, 262144),
            oom_score_adj=st.integers(-1000, 1000),
        ),
        security_context=CONTEXTS,
    ),
)
SHORT = settings(deadline=None, max_examples=examples(50, 150), suppress_health_check=[HealthCheck.too_slow])


@SHORT
@given(
    config=CONFIGS,
    defaults=st.sampled_from(RUNTIMES),
    lsm=st.sampled_from(("", "apparmor", "selinux")),
    user=st.sampled_from(("", "app", "1003:1004", "ghost", "app:ghost", ":", "-1")),
    arch=st.sampled_from(("amd64", "arm64", "s390x", "vax")),
)
def test_every_message_folds_and_every_decision_has_a_source(
    config: ContainerConfig, defaults: str, lsm: str, user: str, arch: str
) -> None:
    image = msgspec.structs.replace(IMAGE, config=msgspec.structs.replace(IMAGE.config, user=user))
    pod = LinuxSandboxSecurityContext(
        namespace_options=config.linux.security_context.namespace_options, privileged=True
    )
    about = oci.OciFacts(
        config=config,
        sandbox=PodSandboxConfig(hostname="pod", linux=LinuxPodSandboxConfig(security_context=pod)),
        image=image,
        node=Node((1 << 41) - 1, runtime_defaults=defaults, lsm=lsm, kernel="6.1"),
        host=oci.HostFacts("/rootfs", arch=arch),
        origin=Decision(),
    )
    decision = oci.decide(about)
    for source, reason in (
        *((entry.source, entry.reason) for entry in decision.assignments),
        *((entry.source, entry.reason) for entry in decision.violations),
    ):
        assert isinstance(source, Source)
        assert source.name
        assert reason
    spec = decision.fold(RuntimeSpec)
    assert msgspec.json.decode(msgspec.json.encode(spec), type=RuntimeSpec) == spec
    check(spec, about, refused=decision.refused)


def check(spec: RuntimeSpec, about: oci.OciFacts, *, refused: bool) -> None:
    """What must hold whatever is asked for."""
    context = about.config.linux.security_context
    sets = spec.process.capabilities
    assert sets is not None
    if not refused:
        assert spec.process.args
        assert spec.process.user.gid in spec.process.user.additional_gids or not context.run_as_user
    if context.run_as_user and not context.run_as_username and not refused:
        assert spec.process.user.uid == context.run_as_user
    assert spec.process.no_new_privileges == context.no_new_privs
    if context.privileged:
        assert spec.linux.seccomp is None
        assert not spec.linux.masked_paths
    elif not refused:
        filtered = context.seccomp is not None and context.seccomp.profile_type != "Unconfined"
        assert (spec.linux.seccomp is not None) == filtered
        assert set(context.masked_paths) <= set(spec.linux.masked_paths)
        assert sets.inheritable == sets.ambient == ()
