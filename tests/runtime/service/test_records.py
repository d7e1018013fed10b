"""Records of sandboxes and containers: phases follow the table, files are whole, ids are ids."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec import structs

from podward.api.cri import ContainerConfig, LinuxPodSandboxConfig, PodSandboxConfig, PodSandboxMetadata
from podward.runtime.kept import Process
from podward.runtime.oci import Engine
from podward.runtime.service.phases import CONTAINER_FOLLOWS, SANDBOX_FOLLOWS, ContainerPhase, SandboxPhase
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord

ENGINE = Engine("crun", "/usr/bin/crun", ())
WEB = PodSandboxMetadata("web", "u1", "default")


def sandbox(phase: SandboxPhase = SandboxPhase.MAKING, identifier: str = "a" * 64, at: int = 1) -> SandboxRecord:
    return SandboxRecord(identifier, phase, PodSandboxConfig(WEB), "", ENGINE, at)


def container(phase: ContainerPhase) -> ContainerRecord:
    return ContainerRecord("b" * 64, "a" * 64, phase, ContainerConfig(), "sha256:1", "sha256:1", 1)


@pytest.mark.parametrize("phase", SandboxPhase)
@pytest.mark.parametrize("following", SandboxPhase)
def test_a_sandbox_goes_no_other_way(phase: SandboxPhase, following: SandboxPhase) -> None:
    if following in SANDBOX_FOLLOWS[phase]:
        assert sandbox(phase).became(following).phase is following
    else:
        with pytest.raises(ValueError, match=f"cannot become {following.value}"):
            sandbox(phase).became(following)


@pytest.mark.parametrize("phase", ContainerPhase)
@pytest.mark.parametrize("following", ContainerPhase)
def test_a_container_goes_no_other_way(phase: ContainerPhase, following: ContainerPhase) -> None:
    if following in CONTAINER_FOLLOWS[phase]:
        assert container(phase).became(following).phase is following
    else:
        with pytest.raises(ValueError, match=f"cannot become {following.value}"):
            container(phase).became(following)


def test_every_way_ends_with_removal() -> None:
    for table, last in ((SANDBOX_FOLLOWS, SandboxPhase.REMOVING), (CONTAINER_FOLLOWS, ContainerPhase.REMOVING)):
        reaching = {last}
        while more := {p for p, following in table.items() if reaching & set(following)} - reaching:
            reaching |= more
        assert reaching == set(table)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    full = SandboxRecord(
        "c" * 64,
        SandboxPhase.READY,
        PodSandboxConfig(WEB, hostname="web", linux=LinuxPodSandboxConfig(sysctls={"net.a": "1"})),
        "runc",
        ENGINE,
        5,
        pin=Process(7, 8),
        namespaces={"net": "/run/x"},
        addresses=("10.0.0.2",),
    )
    records.add(full).release()
    records.add(sandbox()).release()
    assert records.read(SandboxRecord, full.id) == full
    assert [record.id[0] for record in records.every(SandboxRecord)] == ["a", "c"]
    assert records.find(SandboxRecord, "cc") == full
    assert (Path(records.directory(SandboxRecord, full.id)) / "sandbox.json").stat().st_mode & 0o777 == 0o600
    assert records.every(ContainerRecord) == ()


@pytest.mark.parametrize("word", ["", "..", "../" * 20 + "etc", "a/b", "A" * 64, "é" * 64, "a\0", "b"])
def test_what_is_no_id_finds_nothing(tmp_path: Path, word: str) -> None:
    records = Records(str(tmp_path))
    records.add(sandbox()).release()
    assert records.find(SandboxRecord, word) is None
    assert records.read(SandboxRecord, word) is None


def test_a_beginning_that_two_share_finds_none(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    for identifier in ("a" * 64, "a" * 63 + "b"):
        records.add(sandbox(identifier=identifier)).release()
    assert records.find(SandboxRecord, "aa") is None
    assert records.find(SandboxRecord, "a" * 64) is not None


def test_what_is_gone_has_no_lock(tmp_path: Path) -> None:
    assert Records(str(tmp_path)).lock(SandboxRecord, "a" * 64) is None


def test_a_reader_that_stays_sees_every_change_at_once(tmp_path: Path) -> None:
    reader, writer = Records(str(tmp_path)), Records(str(tmp_path))
    writer.add(container(ContainerPhase.CREATED)).release()
    for number in range(100, 500):
        writer.write(structs.replace(container(ContainerPhase.CREATED), created_at=number))
        found = reader.read(ContainerRecord, "b" * 64)
        assert found is not None
        assert found.created_at == number


def test_what_has_been_read_and_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    records.add(sandbox()).release()
    file = tmp_path / "cri" / "sandboxes" / ("a" * 64) / "sandbox.json"
    os.utime(file, (1000, 1000))
    first = records.read(SandboxRecord, "a" * 64)
    assert records.read(SandboxRecord, "a" * 64) is first
    file.unlink()
    assert records.read(SandboxRecord, "a" * 64) is None
    assert records.every(SandboxRecord) == ()


def test_those_that_name_a_word_are_found_among_all(tmp_path: Path) -> None:
    writing, reading = Records(str(tmp_path)), Records(str(tmp_path))
    for identifier, of in (("c" * 64, "a" * 64), ("d" * 64, "e" * 64)):
        writing.add(structs.replace(container(ContainerPhase.RUNNING), id=identifier, sandbox=of)).release()
    assert [record.id for record in reading.every(ContainerRecord, "e" * 64)] == ["d" * 64]
    assert {record.id for record in reading.every(ContainerRecord)} == {"c" * 64, "d" * 64}
