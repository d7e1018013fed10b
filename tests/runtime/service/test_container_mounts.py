"""What is mounted into containers of the service from elsewhere."""

from __future__ import annotations

import os
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from served_containers import CONFIG, Containers
from served_runtime import Served, pod

from podward.api.cri import (
    Capability,
    ContainerConfig,
    IDMapping,
    ImageSpec,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceOption,
    UserNamespace,
)
from podward.api.cri_refusal import CriRefusal
from podward.runtime import syscalls
from podward.runtime.service.records import ContainerRecord
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions

pytestmark = pytest.mark.needs("root", "crun", "runc", "catatonit", "conmon", "busybox")

OWN = NamespaceOption(network="NODE", pid="CONTAINER")
MAP = IDMapping(0, 1 << 20, 65536)
MAPPED = NamespaceOption(network="NODE", pid="CONTAINER", userns_options=UserNamespace("POD", (MAP,), (MAP,)))


@pytest.fixture(params=("crun", "runc"))
def containers(served: Served, small_image: Path, request: pytest.FixtureRequest) -> Containers:
    """The containers of a sandbox, with either OCI runtime."""
    made = Containers(served, served.run(pod(), request.param))
    made.have(small_image)
    return made


def with_mounts(containers: Containers, *mounts: Mount, options: NamespaceOption = OWN) -> ContainerConfig:
    linux = LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=options))
    return containers.asked("sleep", "600", mounts=mounts, linux=linux)


def run(containers: Containers, *mounts: Mount, options: NamespaceOption = OWN) -> str:
    identifier = containers.create(with_mounts(containers, *mounts, options=options))
    assert containers.start(identifier) is None, containers.status(identifier)
    return identifier


def refused(containers: Containers, *mounts: Mount) -> str:
    answer = containers.try_create(with_mounts(containers, *mounts))
    assert isinstance(answer, CriRefusal), answer
    assert containers.served.service.records.every(ContainerRecord) == ()
    return answer.message


def test_directories_and_files_and_where_links_lead(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "a").write_text("of the host")
    (tmp_path / "link").symlink_to(tmp_path / "host")
    asked = (
        Mount("/directory", str(tmp_path / "link")),
        Mount("/file", str(tmp_path / "host" / "a"), readonly=True),
        Mount("/made", str(tmp_path / "made" / "deep")),
    )
    identifier = run(containers, *asked)
    assert containers.execute(identifier, "cat", "/directory/a", "/file") == "of the hostof the host"
    containers.execute(identifier, "touch", "/directory/b", "/made/c")
    assert (tmp_path / "host" / "b").exists()
    assert (tmp_path / "made" / "deep" / "c").exists()
    assert stat.S_IMODE((tmp_path / "made" / "deep").stat().st_mode) == 0o755
    answer = containers.try_execute(identifier, "touch", "/file")
    assert not isinstance(answer, CriRefusal)
    assert answer.exit_code == 1
    assert containers.status(identifier).mounts == asked


def test_a_link_that_the_container_makes_is_not_followed_later(containers: Containers, tmp_path: Path) -> None:
    """The source is resolved once: what a container makes of its volume changes nothing for others."""
    volume = tmp_path / "volume"
    (volume / "sub").mkdir(parents=True)
    first = containers.create(with_mounts(containers, Mount("/v", str(volume / "sub"))))
    (volume / "sub").rmdir()
    (volume / "sub").symlink_to("/etc")
    assert containers.start(first) is None
    assert containers.execute(first, "ls", "/v") == ""


def test_nothing_of_the_host_goes_with_the_container(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "a").touch()
    identifier = run(containers, Mount("/v", str(tmp_path / "host")))
    containers.remove(identifier)
    other = containers.create(with_mounts(containers, Mount("/v", str(tmp_path / "host"))))
    assert other
    containers.served.remove(containers.sandbox.id)
    assert (tmp_path / "host" / "a").exists()


def test_images_are_volumes(containers: Containers, tmp_path: Path) -> None:
    image = containers.bring(tmp_path / "other", "volume:1")
    spec = ImageSpec(image)
    identifier = run(
        containers,
        Mount("/whole", "", readonly=True, image=spec),
        Mount("/part", "", readonly=True, image=spec, image_sub_path="data"),
    )
    assert containers.execute(identifier, "/whole/bin/busybox", "echo", "runs") == "runs\n"
    assert containers.execute(identifier, "ls", "/part") == "deep\n"
    answer = containers.try_execute(identifier, "touch", "/whole/a")
    assert not isinstance(answer, CriRefusal)
    assert b"Read-only" in answer.stderr
    told = [mount.image for mount in containers.status(identifier).mounts]
    assert [each.image_ref if each else "" for each in told] == [image, image]


def test_images_that_are_no_volumes(containers: Containers, tmp_path: Path) -> None:
    spec = ImageSpec(containers.bring(tmp_path / "other", "volume:1"))
    wrong = {
        "readonly must be true": Mount("/v", "", image=spec),
        "hostpath must be empty": Mount("/v", "/etc", readonly=True, image=spec),
        "subpath 'none'": Mount("/v", "", readonly=True, image=spec, image_sub_path="none"),
        "leads out of the image": Mount("/v", "", readonly=True, image=spec, image_sub_path="../.."),
        "subpath 'bin/sh'": Mount("/v", "", readonly=True, image=spec, image_sub_path="bin/sh"),
    }
    for word, mount in wrong.items():
        said = refused(containers, mount)
        assert word in said
        assert "ImageVolumeMountFailed" in said


def test_mounts_that_contradict_themselves(containers: Containers, tmp_path: Path) -> None:
    host = str(tmp_path)
    assert "conflicts with RW" in refused(containers, Mount("/v", host, recursive_read_only=True))
    propagating = Mount("/v", host, readonly=True, recursive_read_only=True, propagation="PROPAGATION_BIDIRECTIONAL")
    assert "private propagation" in refused(containers, propagating)
    assert "not absolute" in refused(containers, Mount("/v", "tmp"))
    assert "mappings" in refused(containers, Mount("/v", host, uid_mappings=(MAP,), gid_mappings=(MAP,)))


def test_a_mount_point_that_leads_out_of_the_root(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "evil" / "sub").symlink_to(tmp_path / "outside")
    (tmp_path / "volume").mkdir()
    identifier = containers.create(
        with_mounts(containers, Mount("/v", str(tmp_path / "evil")), Mount("/v/sub/in", str(tmp_path / "volume")))
    )
    containers.start(identifier)
    assert list((tmp_path / "outside").iterdir()) == []


def test_owners_of_a_volume_are_mapped(served: Served, small_image: Path, tmp_path: Path) -> None:
    containers = Containers(served, served.run(pod(modes=MAPPED)))
    containers.have(small_image)
    (tmp_path / "host").mkdir()
    mount = Mount("/v", str(tmp_path / "host"), uid_mappings=(MAP,), gid_mappings=(MAP,))
    identifier = run(containers, mount, options=MAPPED)
    containers.execute(identifier, "touch", "/v/a", "/b")
    assert (tmp_path / "host" / "a").stat().st_uid == 0
    directory = served.service.records.directory(ContainerRecord, identifier)
    assert os.stat(f"{directory}/upper/b").st_uid == 1 << 20
    assert containers.execute(identifier, "cat", "/proc/self/uid_map").split() == ["0", str(1 << 20), "65536"]


# --- propagation ------------------------------------------------------------------------------------------------------


def in_private_mounts(tmp_path: Path, small_image: Path, test: Callable[[Containers], None]) -> None:
    """Have a service in a mount namespace of its own, where `tmp_path` is a shared mount, and do this with it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
            for name in ("shared", "alone"):
                (tmp_path / name).mkdir()
                syscalls.mount(str(tmp_path / name), str(tmp_path / name), "", syscalls.MS_BIND, "")
            syscalls.mount("", str(tmp_path / "shared"), "", syscalls.MS_SHARED, "")
            served = Served(RuntimeService(str(tmp_path / "root"), ServiceOptions(cni_conf_dir="")))
            try:
                containers = Containers(served, served.run(pod()))
                containers.have(small_image)
                test(containers)
            finally:
                served.close()
        except BaseException:  # noqa: BLE001 - a forked test must not unwind into its parent's frames
            os.write(write, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(write)
    said = b""
    while part := os.read(read, 65536):
        said += part
    os.close(read)
    os.waitpid(child, 0)
    assert said.decode() == ""


def mounted(place: Path, name: str) -> None:
    (place / name).mkdir()
    syscalls.mount("test", str(place / name), "tmpfs", 0, "")
    (place / name / "there").touch()


@pytest.mark.parametrize(
    ("propagation", "from_host", "to_host"),
    [
        ("PROPAGATION_PRIVATE", False, False),
        ("PROPAGATION_HOST_TO_CONTAINER", True, False),
        ("PROPAGATION_BIDIRECTIONAL", True, True),
    ],
)
def test_mounts_propagate_as_asked(
    tmp_path: Path,
    small_image: Path,
    propagation: str,
    from_host: bool,  # noqa: FBT001
    to_host: bool,  # noqa: FBT001
) -> None:
    def test(containers: Containers) -> None:
        shared = tmp_path / "shared"
        mounted(shared, "before")
        context = LinuxContainerSecurityContext(namespace_options=OWN, capabilities=Capability(("SYS_ADMIN",)))
        config = containers.asked(
            "sleep",
            "600",
            mounts=(Mount("/v", str(shared), propagation=propagation),),
            linux=LinuxContainerConfig(security_context=context),
        )
        identifier = containers.create(config)
        mounted(shared, "created")
        assert containers.start(identifier) is None, containers.status(identifier)
        mounted(shared, "started")
        assert containers.execute(identifier, "ls", "/v/before") == "there\n"
        assert containers.execute(identifier, "ls", "/v/started") == ("there\n" if from_host else "")
        containers.execute(identifier, "mkdir", "/v/inside")
        containers.execute(identifier, "mount", "-t", "tmpfs", "x", "/v/inside")
        containers.execute(identifier, "touch", "/v/inside/there")
        assert os.path.exists(shared / "inside" / "there") is to_host
        assert containers.status(identifier).mounts[0].propagation == propagation

    in_private_mounts(tmp_path, small_image, test)


def test_what_cannot_propagate_is_refused(tmp_path: Path, small_image: Path) -> None:
    def test(containers: Containers) -> None:
        alone = str(tmp_path / "alone")
        for propagation in ("PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL"):
            assert f'path "{alone}" is mounted on "{alone}"' in refused(
                containers, Mount("/v", alone, propagation=propagation)
            )

    in_private_mounts(tmp_path, small_image, test)


@pytest.mark.parametrize("recursive", [False, True])
def test_read_only_is_recursive_where_asked(tmp_path: Path, small_image: Path, recursive: bool) -> None:  # noqa: FBT001
    def test(containers: Containers) -> None:
        shared = tmp_path / "shared"
        mounted(shared, "below")
        identifier = run(containers, Mount("/v", str(shared), readonly=True, recursive_read_only=recursive))
        codes = []
        for place in ("/v/a", "/v/below/a"):
            answer = containers.try_execute(identifier, "touch", place)
            assert not isinstance(answer, CriRefusal)
            codes.append(answer.exit_code)
        assert codes == [1, int(recursive)]
        (shared / "a").touch()
        (shared / "below" / "b").touch()

    in_private_mounts(tmp_path, small_image, test)


@pytest.mark.parametrize("options", [OWN, MAPPED])
def test_volumes_of_the_image_are_made(served: Served, tmp_path: Path, options: NamespaceOption) -> None:
    containers = Containers(served, served.run(pod(modes=options)))
    containers.bring(tmp_path / "layout", "small:1", CONFIG.replace("}", ',"Volumes":{"/data":{},"/none":{}}}'))
    identifier = run(containers, options=options)
    assert containers.execute(identifier, "ls", "/data") == "deep\n"
    containers.execute(identifier, "touch", "/data/a", "/none/b")
    mounts = containers.execute(identifier, "cat", "/proc/mounts").splitlines()
    assert {"/data", "/none"} <= {line.split()[1] for line in mounts}
    containers.remove(identifier)
    again = run(containers, options=options)
    assert containers.execute(again, "ls", "/none") == ""
