"""What a container gets with the CDI devices that it asks for, and which names lead to none."""

from __future__ import annotations

import pytest

from podward.api import cdi as words
from podward.api import oci
from podward.api.cri import CDIDevice, ContainerConfig
from podward.decision import Decision, Origin, Source, assign, merge
from podward.path import path
from podward.policy.runtime import cdi

HERE = Source(Origin.RULE, "test")
GPU = words.Device(
    "0",
    words.ContainerEdits(
        env=("GPU=0", "PATH=/gpu"),
        device_nodes=(words.DeviceNode("/dev/gpu0"), words.DeviceNode("/dev/ctl", "/dev/real", permissions="r", uid=7)),
        mounts=(words.Mount("/usr/lib/gpu", "/lib/gpu", ("ro", "bind")), words.Mount("/d", "/data", ("bind",))),
        hooks=(words.Hook("createContainer", "/usr/bin/hook", ("hook", "x")),),
        additional_gids=(44, 0),
    ),
)
FILE = cdi.SpecFile(
    "/etc/cdi/gpu.json", 0, words.DeviceSpec("v.com/gpu", "0.6.0", (GPU,), words.ContainerEdits(env=("ALL=1",)))
)
NODES = {"/dev/gpu0": oci.Device("/dev/gpu0", "c", 195, 0, 0o666), "/dev/real": oci.Device("/dev/real", "c", 1, 9)}
DECIDED = merge(
    assign(path("ociVersion"), "1.0.2", "", HERE),
    assign(path("process", "args"), ("x",), "", HERE),
    assign(path("process", "user"), {"uid": 5, "gid": 6, "additionalGids": (6,)}, "", HERE),
    assign(path("process", "env", 0), "PATH=/bin", "", HERE),
    assign(path("root"), oci.Root(), "", HERE),
    assign(path("mounts", 0), oci.Mount("/a/b"), "", HERE),
    assign(path("mounts", 1), oci.Mount("/data", source="/old"), "", HERE),
    assign(path("linux", "resources", "devices"), (oci.DeviceRule(False),), "", HERE),
)


def injected(*names: str, files: tuple[cdi.SpecFile, ...] = (FILE,)) -> Decision:
    return cdi.injected(DECIDED, cdi.find(names, files), NODES)


def test_a_device_brings_what_its_file_says() -> None:
    spec = injected("v.com/gpu=0").fold(oci.RuntimeSpec)
    assert spec.process.env == ("PATH=/gpu", "ALL=1", "GPU=0")
    assert spec.process.user.additional_gids == (6, 44)
    assert [(mount.destination, mount.source) for mount in spec.mounts] == [
        ("/data", "/d"),
        ("/a/b", ""),
        ("/lib/gpu", "/usr/lib/gpu"),
    ]
    assert spec.linux.devices == (
        oci.Device("/dev/gpu0", "c", 195, 0, 0o666, 5, 6),
        oci.Device("/dev/ctl", "c", 1, 9, None, 7, 6),
    )
    assert spec.linux.resources.devices == (
        oci.DeviceRule(False),
        oci.DeviceRule(True, "c", 195, 0, "rwm"),
        oci.DeviceRule(True, "c", 1, 9, "r"),
    )
    assert spec.hooks == oci.Hooks(create_container=(oci.Hook("/usr/bin/hook", ("hook", "x")),))


def test_what_is_said_of_a_node_needs_none_on_the_host() -> None:
    node = words.DeviceNode("/dev/x", type="c", major=9, minor=8, file_mode=0o600)
    device = words.Device("x", words.ContainerEdits(device_nodes=(node,)))
    spec = injected("v/k=x", files=(cdi.SpecFile("f", 0, words.DeviceSpec("v/k", devices=(device,))),))
    assert spec.fold(oci.RuntimeSpec).linux.devices == (oci.Device("/dev/x", "c", 9, 8, 0o600, 5, 6),)


def test_every_value_says_which_file_it_is_of() -> None:
    added = injected("v.com/gpu=0").assignments[len(DECIDED.assignments) :]
    assert {assignment.source.name for assignment in added} == {FILE.file}


OTHER = words.DeviceSpec("v.com/gpu", devices=(words.Device("0", words.ContainerEdits(env=("OTHER=1",))),))


def test_the_later_directory_counts() -> None:
    later = cdi.SpecFile("/var/run/cdi/gpu.json", 1, OTHER)
    assert injected("v.com/gpu=0", files=(FILE, later)).fold(oci.RuntimeSpec).process.env == ("PATH=/bin", "OTHER=1")


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("v.com/gpu=1",), (FILE,)),
        (("v.com/gpu",), (FILE,)),
        (("w.com/gpu=0",), (FILE,)),
        (("v.com/gpu=0",), ()),
        (("v.com/gpu=0",), (FILE, cdi.SpecFile("/etc/cdi/other.json", 0, OTHER))),
    ],
)
def test_a_name_that_leads_to_none_is_refused(names: tuple[str, ...], files: tuple[cdi.SpecFile, ...]) -> None:
    (violation,) = injected(*names, files=files).violations
    assert violation.reason == f"CDI device injection failed: unresolvable CDI devices {', '.join(names)}"


def test_files_that_are_broken_are_told_of() -> None:
    assert cdi.find(("a/b=c",), (), ("f: is no file",)).fault.endswith("devices a/b=c (f: is no file)")


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (words.ContainerEdits(intel_rdt={}), "asks for Intel RDT or network devices"),
        (words.ContainerEdits(net_devices=({"name": "eth0"},)), "asks for Intel RDT or network devices"),
        (words.ContainerEdits(device_nodes=(words.DeviceNode("/dev/gone"),)), '"/dev/gone" is no device'),
        (words.ContainerEdits(device_nodes=(words.DeviceNode("/dev/gpu0", type="b"),)), '"/dev/gpu0" is no device'),
        (words.ContainerEdits(hooks=(words.Hook("later", "/x"),)), 'no hook "later"'),
    ],
)
def test_what_can_not_be_done_is_refused(edits: words.ContainerEdits, said: str) -> None:
    spec = words.DeviceSpec("v/k", devices=(words.Device("x", edits),))
    (violation,) = injected("v/k=x", files=(cdi.SpecFile("f", 0, spec),)).violations
    assert violation.reason.startswith("CDI device injection failed: ")
    assert said in violation.reason


def test_names_are_in_the_message_and_in_annotations() -> None:
    config = ContainerConfig(
        annotations={"cdi.k8s.io/plugin": "v/k=b, v/k=a", "other": "v/k=c"}, cdi_devices=(CDIDevice("v/k=a"),)
    )
    assert cdi.names(config) == ("v/k=a", "v/k=b")
