"""What follows Kubernetes' version is told from one place."""

from __future__ import annotations

import re
from pathlib import Path

from podward.api.version import KUBERNETES, POD_SECURITY
from podward.policy.pss.standards import NEWEST

ROOT = Path(__file__).parents[1]

NAMING = {
    "src/podward/api/version.py": "the one place",
    "src/podward/schema/table.py": "generated: the release that it was generated from",
    "src/podward/schema/served_types.py": "generated: the release that it was generated from",
    "src/podward/schema/openapi/definitions.py": "generated: the release that it was generated from",
    "src/podward/schema/go_dump/types.py": "generated: the release that it was generated from",
    "src/podward/schema/merge_table.py": "generated: the release that it was generated from",
    "src/podward/schema/strategies/internal_types.py": "generated: the release that it was generated from",
    "src/podward/schema/protobuf_fields.py": "generated: the release that it was generated from",
    "src/podward/policy/pss/check_sysctls.py": "names that are safe since 1.37",
    "docs/admit.md": "tells users which versions are imitated",
    "docs/explain.md": "shows output that names the kubelet",
    "docs/node.md": "says which release of CRI-O was tried",
    "docs/openshift.md": "says which oc was tried",
    "docs/rules/input/schema.md": "tells users whose fields are known",
    "docs/rules/pss/README.md": "tells users how far Pod Security's versions go",
    "docs/rules/pss/sysctls.md": "the versions since which names are safe",
}
"""The files that may name a version that is imitated, and why. docs/maintaining.md sends its reader here."""


def test_no_other_file_names_the_versions_that_are_imitated() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("[hr]*/**/*.md")]
    named = {
        str(file.relative_to(ROOT))
        for file in files
        if any(version in file.read_text() for version in (KUBERNETES, POD_SECURITY))
    }
    assert named <= {*NAMING, "docs/maintaining.md"}


def test_the_documentation_names_the_versions_that_are_imitated() -> None:
    assert f"Kubernetes {KUBERNETES} (Pod Security {POD_SECURITY})" in (ROOT / "docs/admit.md").read_text()
    assert f"the fields of Kubernetes {KUBERNETES}" in (ROOT / "docs/rules/input/schema.md").read_text()
    assert f"policy {POD_SECURITY}" in (ROOT / "docs/rules/pss/README.md").read_text()


def test_what_the_maintainer_is_sent_to_is_there() -> None:
    rows = [line for line in (ROOT / "docs/maintaining.md").read_text().splitlines() if line.startswith("   | ")]
    places = [place for row in rows for place in re.findall(r"`([\w/.]+)`", row.split("|")[2])]
    assert len(places) > 15
    for place in places:
        assert (ROOT / "src/podward" / place).exists(), place


def test_no_check_of_pod_security_is_newer_than_the_policy_that_is_imitated() -> None:
    assert int(POD_SECURITY.removeprefix("1.")) >= NEWEST
