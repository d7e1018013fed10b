"""A Pod's volumes as they are on disk, and as its user namespace sees them."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import msgspec
import pytest

from podward import path as paths
from podward.api.core import Container, Pod
from podward.api.cri import Mount
from podward.api.effective import Place
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.volumes import PodVolumes
from podward.runtime.volumes.request import VolumeNode

pytestmark = [pytest.mark.needs("root"), pytest.mark.usefixtures("private_mounts")]

HERE = Place("pod.yaml", paths.Path(), paths.path("spec", "containers", 0))


def _pod(volumes: list[dict[str, object]], mounts: list[dict[str, object]] = [], **spec: object) -> Pod:  # noqa: B006
    container = {"name": "ctr", "volumeMounts": mounts, "env": [{"name": "WHO", "value": "me"}]}
    return msgspec.convert({"spec": {"volumes": volumes, "containers": [container], **spec}}, Pod)


def _only(pod: Pod) -> Container:
    assert pod.spec.containers is not None
    return pod.spec.containers[0]


def _mounts(volumes: PodVolumes, pod: Pod) -> tuple[Mount, ...]:
    made = volumes.mounts(_only(pod), HERE)
    assert not made.decision.refused, made.decision.violations
    return tuple(mount for mount, _ in made.mounts)


def _mode(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_an_empty_dir_is_open_to_all_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        volumes = PodVolumes(str(tmp_path), PodFacts(_pod([{"name": "v", "emptyDir": {}}]), HERE))
        assert not volumes.prepare().refused
    finally:
        os.umask(before)
    (made,) = volumes.prepared
    assert _mode(made.path) == 0o777
    assert _mode(str(tmp_path / "volumes")) == 0o700
    volumes.remove()
    assert os.listdir(tmp_path) == []


def test_fs_group_applies_to_empty_dirs_and_not_to_host_paths(tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir(mode=0o750)
    (host / "file").write_text("x")
    (host / "file").chmod(0o600)
    state = tmp_path / "state"
    state.mkdir()
    pod = _pod(
        [
            {"name": "disk", "emptyDir": {}},
            {"name": "memory", "emptyDir": {"medium": "Memory"}},
            {"name": "host", "hostPath": {"path": str(host)}},
        ],
        securityContext={"fsGroup": 2345},
    )
    volumes = PodVolumes(str(state), PodFacts(pod, HERE))
    decision = volumes.prepare()
    at = {volume.name: os.stat(volume.path) for volume in volumes.prepared}
    assert (at["disk"].st_gid, stat.S_IMODE(at["disk"].st_mode)) == (2345, 0o2777)
    assert (at["memory"].st_gid, stat.S_IMODE(at["memory"].st_mode)) == (2345, 0o3777)
    assert (at["host"].st_gid, stat.S_IMODE(at["host"].st_mode)) == (0, 0o750)
    assert ((host / "file").stat().st_gid, _mode(str(host / "file"))) == (0, 0o600)
    group = decision.assignment(paths.path("spec", "volumes", 0, "emptyDir", "group"))
    assert group is not None
    assert str(group.source) == "pod.yaml spec.securityContext.fsGroup"
    volumes.remove()
    assert (host / "file").read_text() == "x"


def test_a_memory_volume_is_a_tmpfs_of_the_size_asked_for(tmp_path: Path) -> None:
    pod = _pod([{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}])
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    (made,) = volumes.prepared
    facts = os.statvfs(made.path)
    assert facts.f_blocks * facts.f_frsize == 1 << 20
    assert _mode(made.path) == 0o1777
    with pytest.raises(OSError, match="No space left"):
        Path(made.path, "big").write_bytes(b"x" * (2 << 20))
    volumes.remove()
    assert os.listdir(tmp_path) == []


def test_a_node_says_of_a_missing_driver_what_a_kubelet_says(tmp_path: Path) -> None:
    pod, live = _pod([{"name": "v", "csi": {"driver": "x.example.com"}}]), ReferencedObjects(live=True)
    decision = PodVolumes(str(tmp_path), PodFacts(pod, HERE, live)).prepare()
    (violation,) = decision.violations
    assert violation.reason.startswith("kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name x.ex")


def test_a_memory_volume_is_no_larger_than_the_pod(tmp_path: Path) -> None:
    pod = msgspec.convert(
        {
            "spec": {
                "volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}],
                "containers": [{"name": "a", "resources": {"limits": {"memory": "8Mi"}}}],
            }
        },
        Pod,
    )
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    facts = os.statvfs(volumes.prepared[0].path)
    assert facts.f_blocks * facts.f_frsize == 8 << 20


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            {"emptyDir": {"medium": "HugePages"}},
            "medium HugePages: hugePages storage requested, but there is no resource",
        ),
        ({"emptyDir": {"medium": "HugePages-2Mi"}}, "medium HugePages-2Mi: hugePages storage requested, but there"),
        ({"emptyDir": {"medium": "Tape"}}, 'unknown storage medium "Tape"'),
        ({"emptyDir": {"sizeLimit": "12 kilos"}}, "quantities must match the regular expression"),
        (
            {"projected": {"sources": [{"clusterTrustBundle": {"name": "x", "path": "ca"}}]}},
            'volume "v": trust bundles are an API server\'s: project a Secret or ConfigMap',
        ),
        (
            {"flexVolume": {"driver": "x"}},
            'volume "v": flexVolume x needs a driver that is not here: `--stand-in v=DIR`',
        ),
        ({"nfs": {"server": "nas", "path": "/x"}}, 'volume "v": nfs nas:/x needs a driver that is not here'),
        ({"glusterfs": {"endpoints": "e", "path": "/x"}}, 'volume "v": glusterfs needs a driver that is not here'),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_to_do(
    tmp_path: Path, source: dict[str, object], sentence: str
) -> None:
    volumes = PodVolumes(str(tmp_path), PodFacts(_pod([{"name": "v", **source}]), HERE))
    decision = volumes.prepare()
    assert decision.refused
    assert decision.violations[0].reason.startswith(sentence)
    assert str(decision.violations[0].path).startswith("spec.volumes[0]")
    assert not volumes.prepared
    volumes.remove()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../out", "/etc", "", ".", "..", "a/b", "A"])
def test_names_that_are_no_labels_never_become_paths(tmp_path: Path, name: str) -> None:
    state = tmp_path / "state"
    state.mkdir()
    volumes = PodVolumes(str(state), PodFacts(_pod([{"name": name, "emptyDir": {}}]), HERE))
    assert volumes.prepare().refused
    assert os.listdir(state) == []
    assert os.listdir(tmp_path) == ["state"]
    pod = msgspec.convert({"spec": {"containers": [{"name": name}]}}, Pod)
    assert PodVolumes(str(state), PodFacts(pod, HERE)).mounts(_only(pod), HERE).decision.refused


HOST_TYPES = {
    "directory": ("Directory", "DirectoryOrCreate"),
    "file": ("File", "FileOrCreate"),
    "socket": ("Socket",),
    "null": ("CharDevice",),
    "loop": ("BlockDevice",),
    "fifo": (),
}
TYPES = ("Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", "CharDevice", "BlockDevice")


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """One file of each kind, and links to them."""
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    (zoo / "directory").mkdir()
    (zoo / "file").write_text("x")
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(zoo / "socket"))
    os.mknod(zoo / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(zoo / "loop", 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    os.mkfifo(zoo / "fifo")
    for name in HOST_TYPES:
        (zoo / f"to-{name}").symlink_to(name)
    return zoo


@pytest.mark.parametrize("wanted", TYPES)
@pytest.mark.parametrize("name", sorted(HOST_TYPES))
@pytest.mark.parametrize("link", ["", "to-"])
def test_host_paths_must_be_of_their_type(tmp_path: Path, zoo: Path, name: str, wanted: str, link: str) -> None:
    where = str(zoo / f"{link}{name}")
    volumes = PodVolumes(
        str(tmp_path), PodFacts(_pod([{"name": "v", "hostPath": {"path": where, "type": wanted}}]), HERE)
    )
    decision = volumes.prepare()
    if wanted in HOST_TYPES[name]:
        assert not decision.refused
        assert volumes.prepared[0].path == str(zoo / name)
        return
    (violation,) = decision.violations
    assert violation.reason.startswith("hostPath type check failed")
    assert f"{where} is not a " in violation.reason
    described = {"Directory": "directory", "File": "file", "Socket": "socket file", "CharDevice": "character device"}
    assert described.get(wanted.removesuffix("OrCreate"), "block device") in violation.reason
    assert not volumes.prepared


@pytest.mark.parametrize("wanted", TYPES)
def test_a_missing_host_path_is_made_or_refused(tmp_path: Path, wanted: str) -> None:
    where = tmp_path / "a" / "b" / "missing"
    if wanted.startswith("File"):
        where.parent.mkdir(parents=True)
    before = os.umask(0o077)
    try:
        pod = _pod([{"name": "v", "hostPath": {"path": str(where), "type": wanted}}])
        volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
        decision = volumes.prepare()
    finally:
        os.umask(before)
    if wanted == "DirectoryOrCreate":
        assert [_mode(str(p)) for p in (where, where.parent, where.parent.parent)] == [0o755] * 3
    elif wanted == "FileOrCreate":
        assert where.is_file()
        assert _mode(str(where)) == 0o644
    else:
        (violation,) = decision.violations
        assert violation.reason.startswith(f"hostPath type check failed: {where} is not a ")
        assert not where.exists()
    volumes.remove()
    assert where.exists() == wanted.endswith("OrCreate"), "what is the host's stays"


def test_file_or_create_does_not_make_the_directory(tmp_path: Path) -> None:
    where = str(tmp_path / "absent" / "file")
    pod = _pod([{"name": "v", "hostPath": {"path": where, "type": "FileOrCreate"}}])
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    with pytest.raises(NodeError, match="cannot make the hostPath: No such file or directory"):
        volumes.prepare()


def test_an_untyped_host_path_is_taken_as_it_is_or_made_a_directory(tmp_path: Path, zoo: Path) -> None:
    pod = _pod(
        [{"name": "fifo", "hostPath": {"path": str(zoo / "fifo")}}, {"name": "new", "hostPath": {"path": f"{zoo}/new"}}]
    )
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    assert not volumes.prepare().refused
    assert _mode(f"{zoo}/new") == 0o755


@pytest.mark.parametrize("bad", ["/a/../b", "relative", ".."])
def test_host_paths_that_go_up_or_are_relative_are_refused(tmp_path: Path, bad: str) -> None:
    decision = PodVolumes(str(tmp_path), PodFacts(_pod([{"name": "v", "hostPath": {"path": bad}}]), HERE)).prepare()
    assert str(decision.violations[0].path) == "spec.volumes[0].hostPath.path"
    assert not (tmp_path / bad).exists() or bad == ".."


def test_mounts_say_what_the_manifest_says(tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    pod = _pod(
        [{"name": "e", "emptyDir": {}}, {"name": "h", "hostPath": {"path": str(host)}}],
        [
            {"name": "e", "mountPath": "/e"},
            {"name": "h", "mountPath": "h", "readOnly": True, "recursiveReadOnly": "IfPossible"},
            {"name": "h", "mountPath": "/s", "mountPropagation": "HostToContainer"},
        ],
    )
    volumes = PodVolumes(str(tmp_path / "state"), PodFacts(pod, HERE))
    volumes.prepare()
    assert _mounts(volumes, pod) == (
        Mount("/e", str(tmp_path / "state" / "volumes" / "e"), selinux_relabel=True),
        Mount("/h", str(host), readonly=True, recursive_read_only=True),
        Mount("/s", str(host), propagation="PROPAGATION_HOST_TO_CONTAINER"),
    )


def test_a_missing_volume_is_named(tmp_path: Path) -> None:
    pod = _pod([], [{"name": "x", "mountPath": "/x"}])
    decision = PodVolumes(str(tmp_path), PodFacts(pod, HERE)).mounts(_only(pod), HERE).decision
    assert decision.violations[0].reason == 'cannot find volume "x" to mount into container "ctr"'


def test_sub_paths_are_bound_and_expanded(tmp_path: Path) -> None:
    pod = _pod(
        [{"name": "e", "emptyDir": {}}],
        [
            {"name": "e", "mountPath": "/a", "subPath": "x/y"},
            {"name": "e", "mountPath": "/b", "subPathExpr": "of-$(WHO)"},
        ],
    )
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    first, second = _mounts(volumes, pod)
    Path(first.host_path, "f").write_text("through the bind")
    assert Path(volumes.prepared[0].path, "x/y/f").read_text() == "through the bind"
    assert os.path.samefile(second.host_path, f"{volumes.prepared[0].path}/of-me")
    volumes.remove()
    assert os.listdir(tmp_path) == []


def test_an_expression_without_value_is_refused(tmp_path: Path) -> None:
    mounts: list[dict[str, object]] = [{"name": "e", "mountPath": "/a", "subPathExpr": "$(WHO)/$(NO)/$$(OK)"}]
    pod = _pod([{"name": "e", "emptyDir": {}}], mounts)
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    decision = volumes.mounts(_only(pod), HERE).decision
    assert [v.reason for v in decision.violations] == ["missing value for NO"]


def test_an_init_container_may_make_what_the_sub_path_is(tmp_path: Path) -> None:
    """Opened at the start: before, the volume was empty, and making a directory there would be in the way."""
    pod = _pod(
        [{"name": "e", "emptyDir": {}}],
        [{"name": "e", "mountPath": "/etc/app.conf", "subPath": "app.conf"}],
        initContainers=[{"name": "init"}],
    )
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    (mount,) = _mounts(volumes, pod)
    assert os.listdir(volumes.prepared[0].path) == []
    Path(volumes.prepared[0].path, "app.conf").write_text("made by init")
    assert not volumes.attach("ctr").refused
    assert Path(mount.host_path).read_text() == "made by init"
    # A restart: the file has become a link out of the volume.
    Path(volumes.prepared[0].path, "app.conf").unlink()
    Path(volumes.prepared[0].path, "app.conf").symlink_to("/etc/shadow")
    (violation,) = volumes.attach("ctr").violations
    assert violation.reason == 'failed to prepare subPath for volumeMount "e" of container "ctr"'
    Path(volumes.prepared[0].path, "app.conf").unlink()
    assert not volumes.attach("ctr").refused
    assert os.path.isdir(mount.host_path)
    volumes.remove()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("source", [{"emptyDir": {}}, {"emptyDir": {"medium": "Memory"}}, "hostPath", "file"])
@pytest.mark.parametrize("sub_path", ["", "sub"])
def test_a_user_namespace_sees_the_volumes_root_as_its_own(
    tmp_path: Path, userns: str, source: dict[str, object] | str, sub_path: str
) -> None:
    host = tmp_path / "host"
    if source == "file":
        host.write_text("x")
    else:
        host.mkdir()
    if isinstance(source, str):
        source = {"hostPath": {"path": str(host)}}
        if host.is_file() and sub_path:
            return
    mounts: list[dict[str, object]] = [{"name": "v", "mountPath": "/v", "subPath": sub_path}]
    pod = _pod([{"name": "v", **source}], mounts, securityContext={"fsGroup": 77})
    state = tmp_path / "state"
    volumes = PodVolumes(str(state), PodFacts(pod, HERE), node=VolumeNode(userns))
    volumes.prepare()
    (mount,) = _mounts(volumes, pod)
    seen = os.stat(mount.host_path)
    assert seen.st_uid == 65536 * 7, "what the host owns is root's inside"
    if "emptyDir" in source:
        assert seen.st_gid == 65536 * 7 + 77
    assert os.stat(volumes.prepared[0].path).st_uid == 0, "and on disk nothing has changed"
    assert mount.uid_mappings == ()
    volumes.remove()
    assert os.listdir(state) == []


def test_what_cannot_be_mapped_is_an_error_that_says_so(tmp_path: Path, userns: str) -> None:
    pod = _pod([{"name": "v", "hostPath": {"path": "/proc"}}], [{"name": "v", "mountPath": "/v"}])
    volumes = PodVolumes(str(tmp_path / "state"), PodFacts(pod, HERE), node=VolumeNode(userns))
    volumes.prepare()
    with pytest.raises(NodeError, match="cannot map the volume's ids into the Pod's user namespace"):
        volumes.mounts(_only(pod), HERE)


def test_a_shared_mount_shows_what_is_mounted_below_it(tmp_path: Path) -> None:
    mounts: list[dict[str, object]] = [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}]
    pod = _pod([{"name": "v", "emptyDir": {}}], mounts)
    volumes = PodVolumes(str(tmp_path / "state"), PodFacts(pod, HERE))
    volumes.prepare()
    (mount,) = _mounts(volumes, pod)
    other = tmp_path / "other"
    other.mkdir()
    syscalls.mount(mount.host_path, str(other), "", syscalls.MS_BIND, "")
    Path(mount.host_path, "m").mkdir()
    syscalls.mount("tmpfs", f"{mount.host_path}/m", "tmpfs", 0, "")
    Path(mount.host_path, "m", "f").write_text("x")
    assert (other / "m" / "f").read_text() == "x"


def test_what_a_container_left_mounted_in_its_volume_goes_too(tmp_path: Path) -> None:
    pod = _pod([{"name": "v", "emptyDir": {"medium": "Memory"}}], [{"name": "v", "mountPath": "/v", "subPath": "s"}])
    volumes = PodVolumes(str(tmp_path), PodFacts(pod, HERE))
    volumes.prepare()
    (mount,) = _mounts(volumes, pod)
    for _ in range(2):
        assert not volumes.attach("ctr").refused
    Path(mount.host_path, "deep").mkdir()
    volumes.remove()
    assert os.listdir(tmp_path) == []
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
