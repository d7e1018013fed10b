"""Facts of a Pod that is explained."""

from __future__ import annotations

from podward.api.cri import IDMapping
from podward.api.image import EntryFile, FileCapabilities
from podward.runtime.explaining.facts import shifted

RANGE = IDMapping(0, 65536, 65536)


def test_an_entry_file_and_its_capabilities_are_shifted_into_the_range() -> None:
    inner = EntryFile("/bin/sh", 0o755, 10, 20)
    file = EntryFile("/x", 0o755, 0, 70000, FileCapabilities(1, 0, effective=True, root_uid=0), interpreter=inner)
    found = shifted(file, RANGE)
    assert (found.uid, found.gid) == (65536, 65534)
    assert found.capabilities is not None
    assert found.capabilities.root_uid == 65536
    assert found.interpreter is not None
    assert (found.interpreter.uid, found.interpreter.gid) == (65546, 65556)
