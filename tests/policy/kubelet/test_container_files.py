"""The kubelet's own mounts, and the content of /etc/hosts."""

from __future__ import annotations

import pytest

from podward.api.core import Container, HostAlias, ObjectMeta, Pod, PodSpec, VolumeMount
from podward.api.cri import Mount
from podward.api.effective import Place
from podward.decision import Assignment, Origin
from podward.path import path
from podward.policy.kubelet import container_files
from podward.policy.kubelet.container_files import ContainerFiles

PLACE = Place("pod.yaml", container=path("spec", "containers", 0))
FILES = ContainerFiles("/pod/hosts", "/pod/log")
LOG = "/dev/termination-log"


NO_SPEC = PodSpec()


def assignments(container: Container, spec: PodSpec = NO_SPEC, files: ContainerFiles = FILES) -> list[Assignment]:
    return list(container_files.decide(Pod(spec=spec), container, PLACE, files, 0).assignments)


def mounts(container: Container, **more: object) -> list[tuple[str, str]]:
    found = [a.value for a in assignments(container, **more)]  # type: ignore[arg-type]
    return [(m.container_path, m.host_path) for m in found if isinstance(m, Mount) and not m.readonly]


def test_both_are_mounted_writable_after_what_is_there() -> None:
    made = container_files.decide(Pod(), Container(termination_message_path=LOG), PLACE, FILES, 2)
    assert [str(a.path) for a in made.assignments] == ["mounts[2]", "mounts[3]"]
    assert mounts(Container(termination_message_path=LOG)) == [("/etc/hosts", "/pod/hosts"), (LOG, "/pod/log")]


def test_a_relative_path_of_the_log_starts_at_the_root() -> None:
    assert mounts(Container(termination_message_path="tmp/why"))[1] == ("/tmp/why", "/pod/log")  # noqa: S108


def test_without_a_path_there_is_no_log() -> None:
    assert mounts(Container()) == [("/etc/hosts", "/pod/hosts")]


def test_a_volume_mount_at_exactly_the_hosts_file_takes_its_place() -> None:
    assert mounts(Container(volume_mounts=(VolumeMount("v", "/etc/hosts"),))) == []
    assert mounts(Container(volume_mounts=(VolumeMount("v", "/etc/hosts/"),))) == [("/etc/hosts", "/pod/hosts")]


def test_where_nothing_is_known_of_files_none_is_mounted() -> None:
    assert mounts(Container(termination_message_path=LOG), files=ContainerFiles()) == []


def test_what_the_manifest_wrote_is_cited() -> None:
    aliases = PodSpec(host_aliases=(HostAlias("10.0.0.1", ("a",)),))
    written = assignments(Container(termination_message_path="/why"), aliases)
    assert [str(a.source.path) for a in written] == ["spec.hostAliases", "spec.containers[0].terminationMessagePath"]
    assert {a.source.origin for a in assignments(Container(termination_message_path=LOG))} == {Origin.RULE}


@pytest.mark.parametrize(
    ("spec", "last"),
    [
        (PodSpec(), "10.0.0.5\tweb"),
        (PodSpec(subdomain="db"), "10.0.0.5\tweb.db.shop.svc.cluster.local\tweb"),
        (PodSpec(host_aliases=(HostAlias("fd00::7", ("a", "b")),)), "fd00::7\ta\tb"),
    ],
)
def test_the_hosts_file_ends_with_the_pod_and_its_aliases(spec: PodSpec, last: str) -> None:
    text = container_files.hosts_text(Pod(ObjectMeta("web", namespace="shop"), spec), ("10.0.0.5",), "unused")
    lines = text.split("\n")
    assert (lines[0], lines[1]) == ("# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost")
    assert (lines[-2], lines[-1]) == (last, "")


def test_on_the_hosts_network_the_file_is_the_hosts() -> None:
    spec = PodSpec(host_network=True, host_aliases=(HostAlias("10.0.0.1", ("a",)),))
    text = container_files.hosts_text(Pod(spec=spec), ("10.0.0.5",), "127.0.0.1 host\n")
    assert text == (
        "# Kubernetes-managed hosts file (host network).\n127.0.0.1 host\n"
        "\n# Entries added by HostAliases.\n10.0.0.1\ta\n"
    )
