"""Names are had by one at a time, and by nobody whose record is gone."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import structs

from podward.api.cri import ContainerMetadata, PodSandboxConfig, PodSandboxMetadata
from podward.runtime.oci import Engine
from podward.runtime.service import names
from podward.runtime.service.phases import SandboxPhase
from podward.runtime.service.records import Records, SandboxRecord

POD = PodSandboxMetadata("web", "u1", "default")


def added(records: Records) -> SandboxRecord:
    engine, identifier = Engine("crun", "/usr/bin/crun", ()), records.new_id()
    record = SandboxRecord(identifier, SandboxPhase.MAKING, PodSandboxConfig(POD), "", engine, 1)
    records.add(record).release()
    return record


def test_a_name_is_reserved_until_it_is_released(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    first, second = added(records), added(records)
    assert names.reserve(records, first, "n") == ""
    assert names.reserve(records, first, "n") == ""
    assert names.reserve(records, second, "n") == first.id
    names.release(records, second, "n")
    assert names.reserve(records, second, "n") == first.id
    names.release(records, first, "n")
    assert names.reserve(records, second, "n") == ""


def test_a_name_of_nobody_is_free(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    gone, other = added(records), added(records)
    names.reserve(records, gone, "n")
    names.reserve(records, other, "../" * 99 + "o")
    os.unlink(f"{records.directory(SandboxRecord, gone.id)}/sandbox.json")
    names.forget_unknown(records)
    assert len(os.listdir(f"{records.root}/names")) == 2
    assert names.reserve(records, other, "n") == ""


def test_names_tell_attempts_and_pods_apart() -> None:
    again = structs.replace(POD, attempt=1)
    assert names.of_sandbox(POD) == "web_default_u1_0"
    assert len({names.of_sandbox(POD), names.of_sandbox(again)}) == 2
    assert names.of_container(ContainerMetadata("c", 2), POD) == "c_web_default_u1_2"
