"""A gate that whoever is gated cannot open: waivers, namespaces, SCCs and RBAC of the checked files."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from case_corpus import Checked, case, said, text_of, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

WAIVERS = ("hostile/waiver.yaml", "hostile/waiver-on-template.yaml")


@pytest.mark.parametrize("name", WAIVERS)
def test_inline_waivers_can_be_forbidden(podward: Podward, name: str) -> None:
    assert Checked(podward, case(name)).code == 0, "they are allowed by default"
    checked = Checked(podward, case(name), "--no-inline-waivers")
    assert checked.code == 1
    assert {"pss/hostNamespaces", "pss/privileged"} <= checked.errors
    assert checked.report["waived"] == []
    assert checked.about("waive"), "and that one is there is told"


@pytest.mark.parametrize("name", WAIVERS)
def test_the_term_of_a_waiver_can_be_bounded(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(name), "--max-waiver-days", "90")
    assert checked.code == 1
    assert {"pss/hostNamespaces", "pss/privileged"} <= checked.errors
    assert checked.findings("waiver/"), "and why it does not count"


def test_a_waiver_within_the_term_counts(podward: Podward) -> None:
    def checked(days: int) -> Checked:
        end = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=days)
        manifest = text_of("hostile/waiver.yaml").replace("9999-12-31", end.isoformat())
        return Checked(podward, "-", "--max-waiver-days", "90", stdin=manifest)

    assert checked(60).code == 0
    assert checked(120).code == 1


def test_a_waiver_of_the_configuration_is_not_an_inline_one(podward: Podward, tmp_path: Path) -> None:
    write(tmp_path, "podward.toml", '[[check.waivers]]\nrule = "pss"\nreason = "looked at"\nexpires = 9999-12-31\n')
    write(tmp_path, "pod.yaml", text_of("hostile/namespace.yaml").partition("---\n")[2])
    assert podward("check", "--no-inline-waivers", "pod.yaml", cwd=str(tmp_path)).returncode == 0
    assert podward("check", "--max-waiver-days", "90", "pod.yaml", cwd=str(tmp_path)).returncode == 1


@pytest.mark.parametrize("days", ["-1", "many"])
def test_a_term_is_a_number_of_days(podward: Podward, days: str) -> None:
    done = podward("check", f"--max-waiver-days={days}", case("hostile/waiver.yaml"))
    assert (done.returncode, "unrecognized" in done.stderr) == (2, False)


@pytest.mark.parametrize("form", ["table", "github", "gitlab", "junit", "sarif", "json"])
def test_a_waiver_is_told_in_every_form(podward: Podward, form: str) -> None:
    done = podward("check", "-o", form, case("hostile/waiver.yaml"))
    assert done.returncode == 0
    assert "waive" in done.stdout, "what whoever reads only this form must see"
    assert "waiver.yaml" in done.stdout


def test_the_configuration_can_forbid_them_too(podward: Podward, tmp_path: Path) -> None:
    write(tmp_path, "pod.yaml", text_of("hostile/waiver.yaml"))
    write(tmp_path, "podward.toml", "[check]\nno-inline-waivers = true\n")
    assert podward("check", "pod.yaml", cwd=str(tmp_path)).returncode == 1
    write(tmp_path, "podward.toml", "[check]\nmax-waiver-days = 30\n")
    assert podward("check", "pod.yaml", cwd=str(tmp_path)).returncode == 1


def test_a_waiver_covers_its_own_item_of_a_list(podward: Podward) -> None:
    checked = Checked(podward, case("hostile/waiver-of-a-sibling.yaml"), "--level", "baseline")
    assert checked.code == 1
    assert [finding["path"] for finding in checked.findings("pss/")] == ["items[1].spec.hostPID"]
    assert [each["finding"]["path"] for each in checked.report["waived"]] == ["items[0].spec.hostPID"]


LOWERED = {
    "hostile/namespace.yaml": ("--level", "restricted"),
    "hostile/scc.yaml": ("--scc", "restricted-v2"),
    "hostile/rbac.yaml": ("--scc", "restricted-v2", "--scc", case("hostile/wide-scc.yaml")),
}
"""Files that bring the policy that lets them in, and the gate that they open by it."""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """A directory of somebody else's policies: a namespace that nothing but restricted Pods may enter."""
    namespace = text_of("manifests/ns-kubernetes.yaml").replace("shop", "default").replace("baseline", "restricted")
    write(tmp_path, "policy/namespaces.yaml", namespace)
    return str(tmp_path / "policy")


@pytest.mark.parametrize("name", LOWERED)
def test_policies_of_the_checked_files_do_not_count_where_others_are_named(
    podward: Podward, policy: str, name: str
) -> None:
    checked = Checked(podward, case(name), *LOWERED[name], "--policy-from", policy)
    assert checked.code == 1
    assert checked.findings(severity="error")
    assert "evil" in {finding["subject"]["name"] for finding in checked.findings(severity="error")}


def policy_lines(name: str) -> range:
    """The lines of the file before its Pod: those of the policies."""
    return range(1, text_of(name).splitlines().index("kind: Pod"))


@pytest.mark.parametrize("name", LOWERED)
def test_each_policy_that_is_left_out_is_told_with_its_line(podward: Podward, policy: str, name: str) -> None:
    checked = Checked(podward, case(name), *LOWERED[name], "--policy-from", policy)
    told = [each for each in checked.report["findings"] if each["line"] in policy_lines(name)]
    assert told, [each["message"] for each in checked.report["findings"]]
    assert {each["severity"] for each in told} <= {"note", "warning"}


@pytest.mark.parametrize("name", LOWERED)
def test_each_lowering_is_told_where_no_policies_are_named(podward: Podward, name: str) -> None:
    done = podward("check", case(name), *LOWERED[name], "-o", "github")
    told = re.findall(r"^::(notice|warning) file=[^,]*,line=(\d+)", done.stdout, re.MULTILINE)
    assert [line for _, line in told if int(line) in policy_lines(name)], said(done)


def test_policy_from_takes_a_file(podward: Podward, policy: str) -> None:
    file = f"{policy}/namespaces.yaml"
    assert Checked(podward, case("hostile/namespace.yaml"), "--policy-from", file).code == 1
    assert Checked(podward, case("hostile/clean.yaml"), "--policy-from", file).code == 0


def test_policy_from_is_where_sccs_and_rights_come_from(podward: Podward, tmp_path: Path) -> None:
    scc, _, pod = text_of("hostile/scc.yaml").partition("---\n")
    write(tmp_path, "policy/scc.yaml", scc)
    write(tmp_path, "pod.yaml", pod)
    words = (str(tmp_path / "pod.yaml"), "--scc", "restricted-v2", "--level", "privileged")
    assert Checked(podward, *words).code == 1
    assert Checked(podward, *words, "--policy-from", str(tmp_path / "policy")).code == 0


@pytest.mark.parametrize("missing", ["no-such-directory", "empty", "not-yaml"])
def test_policies_that_cannot_be_read_open_no_gate(podward: Podward, tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "not-yaml/a.yaml", "{")
    done = podward("check", case("hostile/namespace.yaml"), "--policy-from", str(tmp_path / missing))
    assert done.returncode in ({1, 2} if missing == "empty" else {2}), said(done)
    assert "unrecognized" not in done.stderr


def test_a_namespace_is_not_lowered_by_a_second_one(podward: Podward, policy: str) -> None:
    """The checked files have one of the same name: it is another object, and counts for nothing."""
    done = podward("check", case("hostile/namespace.yaml"), "--policy-from", policy, "-o", "json")
    report = json.loads(done.stdout)
    assert report["exitCode"] == 1
    assert any(finding["policy"].startswith("restricted") for finding in report["findings"])
