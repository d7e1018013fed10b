"""`podward check --fix` and the files themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from checked import BAD, GOOD, HINTED, LABEL, NAMESPACE, Check

from podward.documents.editing.edits import edited
from podward.errors import InputError

NOBODY = 65534


def test_mode_and_owner_stay_and_a_link_is_followed(check: Check) -> None:
    target = check.write("real/x.yaml", BAD)
    target.chmod(0o640)
    os.chown(target, NOBODY, NOBODY) if os.geteuid() == 0 else None
    before = target.stat()
    link = check.directory / "x.yaml"
    link.symlink_to("real/x.yaml")
    ran = check("x.yaml", "--fix")
    assert (ran.code, ran.err) == (0, "podward: fixed x.yaml\n")
    assert link.is_symlink()
    after = target.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert target.read_text(encoding="utf-8") == BAD.replace("Escalation: true", "Escalation: false")
    assert sorted(each.name for each in (check.directory / "real").iterdir()) == ["x.yaml"]


@pytest.mark.needs("root")
def test_a_file_that_may_not_be_written_is_an_error_and_the_others_are_fixed(check: Check) -> None:
    check.write("d/a.yaml", BAD).chmod(0o444)
    open_file = check.write("d/b.yaml", BAD)
    for path in (check.directory / "d", *(check.directory / "d").iterdir()):
        os.chown(path, NOBODY, NOBODY)
    for path in (check.directory, *check.directory.parents):
        if not path.stat().st_mode & 1:
            path.chmod(path.stat().st_mode | 0o11)
    ran = subprocess.run(
        [sys.executable, "-m", "podward", "check", "d", "--fix", "-o", "json"],
        cwd=check.directory,
        capture_output=True,
        text=True,
        check=False,
        user=NOBODY,
        timeout=60,
    )
    assert ran.returncode == 2
    assert "podward: d/a.yaml: cannot write it: it is read-only\n" in ran.stderr
    assert "podward: fixed d/b.yaml\n" in ran.stderr
    assert open_file.read_text(encoding="utf-8") != BAD
    assert [each["file"] for each in json.loads(ran.stdout)["findings"]] == ["d/a.yaml"]


def test_advice_is_followed_only_where_it_is_selected(check: Check) -> None:
    labels = f"{LABEL % ('enforce', 'baseline')}, {LABEL % ('warn', 'restricted')}"
    text = f"{NAMESPACE % labels}---\n{HINTED}---\n{HINTED.replace('good', 'other').replace('shop', 'free')}"
    file = check.write("x.yaml", text)
    assert check("x.yaml", "--fix", "--level", "baseline").code == 0
    assert file.read_text(encoding="utf-8") == text
    check("x.yaml", "--fix", "--level", "baseline", "--select", "hint")
    assert file.read_text(encoding="utf-8").count("seccompProfile") == 1
    check("x.yaml", "--fix", "--level", "baseline", "--select", "pss/seccompProfile_restricted")
    assert file.read_text(encoding="utf-8").count("seccompProfile") == 2


def test_where_two_findings_want_different_values_the_last_word_satisfies_both(check: Check) -> None:
    """The SCC wants a uid of its range, Pod Security one that is not 0: to say nothing is right for both."""
    text = GOOD.replace("runAsNonRoot: true", "runAsUser: 0, runAsNonRoot: false")
    file = check.write("x.yaml", text)
    ran = check.json("x.yaml", "--scc", "restricted-v2", "--level", "restricted", "--fix")
    assert (ran.code, ran.rules) == (0, [])
    assert "runAsUser" not in file.read_text(encoding="utf-8")


def test_where_two_policies_contradict_each_other_nothing_turns_round(check: Check) -> None:
    """The SCC anyuid sets no seccomp profile and allows none; restricted demands one."""
    file = check.write("x.yaml", GOOD)
    ran = check.json("x.yaml", "--scc", "anyuid", "--level", "restricted", "--fix")
    assert (ran.code, ran.rules) == (1, ["scc/seccomp"])
    assert file.read_text(encoding="utf-8") == GOOD


def test_no_change_is_made_after_which_no_api_server_takes_the_pod(check: Check) -> None:
    text = GOOD.replace("allowPrivilegeEscalation: false", "privileged: true").replace(
        "drop: [ALL]}}", "drop: [ALL]}}\n    volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}]"
    )
    file = check.write("x.yaml", text + "  volumes: [{name: v, emptyDir: {}}]\n")
    ran = check.json("x.yaml", "--fix")
    assert (ran.code, ran.rules) == (1, ["pss/allowPrivilegeEscalation", "pss/privileged"])
    assert all(not each["changes"] and "no API server takes" in each["remedy"] for each in ran.report["findings"])
    assert file.read_text(encoding="utf-8") == text + "  volumes: [{name: v, emptyDir: {}}]\n"
    shown = check("x.yaml", "--fix", "--diff")
    assert (shown.code, shown.out) == (1, "")
    assert "x.yaml:9: pss/privileged: Changing this field alone" in shown.err


def test_what_would_be_empty_goes_whole(check: Check) -> None:
    text = GOOD.replace(
        "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}", "capabilities: {add: [SYS_TIME]}"
    )
    file = check.write("x.yaml", text)
    assert check("x.yaml", "--level", "baseline", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == text.replace(
        "    securityContext: {capabilities: {add: [SYS_TIME]}}\n", ""
    )


def test_a_document_that_cannot_be_edited_does_not_keep_the_others_from_it(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stubborn(content: bytes, name: str, edits: Any) -> bytes:  # noqa: ANN401
        if any(edit.document == 0 for edit in edits):
            raise InputError("it cannot be edited", where=name)
        return edited(content, name, edits)

    monkeypatch.setattr("podward.cli.checking.fixing.edited", stubborn)
    file = check.write("x.yaml", f"{BAD}---\n{BAD.replace('bad', 'other')}")
    ran = check("x.yaml", "--fix")
    assert (ran.code, ran.err) == (1, "podward: x.yaml: it cannot be edited\npodward: fixed x.yaml\n")
    assert file.read_text(encoding="utf-8").count("Escalation: true") == 1


def test_two_fixes_at_once_do_not_meet_in_one_file(check: Check) -> None:
    """The new content is put in place at once: a reader sees the old file or the new one."""
    file = check.write("x.yaml", BAD)
    with file.open(encoding="utf-8") as reader:
        assert check("x.yaml", "--fix").code == 0
        assert reader.read() == BAD
