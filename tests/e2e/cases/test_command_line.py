"""The words of the command line: files without -f, several of a kind, URLs, rules by name."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_corpus import CASES, case, said, text_of, write
from podward_command import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

CLEAN = case("hostile/clean.yaml")
EVIL = text_of("hostile/namespace.yaml").partition("---\n")[2]
GROUPS = str(PROJECT / "examples" / "03-implicit-groups.yaml")


@pytest.mark.parametrize("command", ["run", "explain", "admit"])
def test_files_are_positional_as_well(podward: Podward, command: str) -> None:
    words = ("--cluster", "kubernetes") if command == "admit" else ()
    done = podward(command, CLEAN, GROUPS, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == podward(command, "-f", CLEAN, "-f", GROUPS, *words).stdout or command == "run"
    assert podward(command, CLEAN, "-f", GROUPS, *words).returncode == 0, "and may be mixed"


def test_check_takes_f_too(podward: Podward) -> None:
    plain = podward("check", case("hostile/namespace.yaml"), CLEAN, "--level", "restricted")
    with_f = podward("check", "-f", case("hostile/namespace.yaml"), "-f", CLEAN, "--level", "restricted")
    assert (with_f.returncode, with_f.stdout) == (plain.returncode, plain.stdout)
    assert podward("check", "-f", "-", stdin=EVIL).returncode == 1


@pytest.mark.parametrize("command", ["run", "explain", "admit", "check"])
def test_no_file_at_all_is_bad_usage(podward: Podward, command: str) -> None:
    done = podward(command)
    assert done.returncode == 2
    assert "FILE" in done.stderr or "-f" in done.stderr or "PATH" in done.stderr


def test_n_is_the_namespace_of_what_names_none(podward: Podward) -> None:
    assert "Pod shop/clean" in podward("explain", "-n", "shop", CLEAN).stdout
    assert "namespace: shop" in podward("admit", "-n", "shop", "--cluster", "kubernetes", CLEAN).stdout
    checked = json.loads(podward("check", "-n", "shop", "-", "-o", "json", stdin=EVIL).stdout)
    assert {finding["subject"]["namespace"] for finding in checked["findings"]} == {"shop"}
    manifest = text_of("hostile/clean.yaml").replace('["true"]', '["sh", "-c", "echo $NS"]').replace(
        "    securityContext: {allow", "    env: [{name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]\n"
        "    securityContext: {allow"
    )  # fmt: skip
    assert podward("run", "-n", "shop", "-", stdin=manifest).stdout == "shop\n"


def test_a_namespace_that_is_written_stays(podward: Podward) -> None:
    done = podward("explain", "-n", "shop", case("volumes/downward.yaml"))
    assert "Pod shop/downward" in done.stdout
    other = podward("explain", "-n", "other", case("volumes/downward.yaml"))
    assert "other" in said(other), "kubectl refuses the difference; here it is at least told"


def test_every_field_that_was_asked_for_is_told(podward: Podward) -> None:
    words = ("--field", "spec.securityContext.runAsUser", "--field", "spec.securityContext.supplementalGroups")
    table = podward("explain", GROUPS, *words).stdout
    for name in ("user", "groups"):
        assert f"\n{name} " in table, name


@pytest.fixture
def address() -> Iterator[str]:
    """The inputs over HTTP, on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(CASES)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("command", ["explain", "run", "admit", "check"])
def test_a_file_may_be_a_url(podward: Podward, address: str, command: str) -> None:
    words = ("--cluster", "kubernetes") if command == "admit" else ()
    done = podward(command, "-f", f"{address}/hostile/clean.yaml", *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["/no/such/file.yaml", "", "/hostile/"])
def test_a_url_that_gives_no_manifest_is_bad_input(podward: Podward, address: str, place: str) -> None:
    done = podward("check", "-f", f"{address}{place}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert address in said(done)
    assert podward("check", "-f", "http://127.0.0.1:1/pod.yaml").returncode == 2


def test_exit_zero_is_for_findings_only(podward: Podward) -> None:
    assert podward("check", "-", "--exit-zero", stdin=EVIL).returncode == 0
    assert "pss/privileged" in podward("check", "-", "--exit-zero", stdin=EVIL).stdout
    assert podward("check", "-", "--exit-zero", stdin="kind: [\n").returncode == 2


def test_quiet_says_nothing_where_nothing_is_wrong(podward: Podward) -> None:
    done = podward("check", "--quiet", CLEAN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    bad = podward("check", "--quiet", "-", stdin=EVIL)
    assert (bad.returncode, "pss/privileged" in bad.stdout) == (1, True)


def test_statistics_count_by_rule(podward: Podward, tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f"pod-{number}.yaml", EVIL.replace("evil", f"evil-{number}"))
    done = podward("check", "--statistics", str(tmp_path))
    assert done.returncode == 1
    counted = [line.split() for line in done.stdout.splitlines()]
    for rule in ("pss/privileged", "pss/hostNamespaces"):
        assert any(rule in words and "3" in words for words in counted), done.stdout


def test_scc_wide_has_a_line_a_workload_with_its_scc(podward: Podward, tmp_path: Path) -> None:
    plain = write(
        tmp_path, "plain.yaml", text_of("manifests/fc.yaml").replace("{name: a}", "{name: plain, namespace: shop}")
    )
    files = (case("manifests/rook-osd-pod.yaml"), case("manifests/ns-rook.yaml"), case("manifests/ns.yaml"), plain)
    words = ("--scc", "restricted-v2", "--scc", case("manifests/rook-scc.yaml"), "-o", "wide")
    done = podward("check", *files, *words)
    for name, scc in (("osd", "rook-ceph"), ("plain", "restricted-v2")):
        assert any(name in line and scc in line.split() for line in done.stdout.splitlines()), said(done)


def test_a_rule_is_explained_by_its_name(podward: Podward) -> None:
    for rule, page in (("pss/privileged", "rules/pss/privileged.md"), ("hint/seccomp-unset", "hints/seccomp-unset.md")):
        done = podward("rule", rule)
        assert done.returncode == 0, done.stderr
        text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
        assert text.splitlines()[2].split(".")[0] in done.stdout


def test_all_rules_are_listed(podward: Podward) -> None:
    listed = podward("rule", "--list")
    assert listed.returncode == 0, listed.stderr
    names = {line.split()[0] for line in listed.stdout.splitlines() if line}
    pages = {f"{page.parent.name}/{page.stem}" for page in (PROJECT / "docs" / "rules").glob("*/*.md")}
    pages |= {f"hint/{page.stem}" for page in (PROJECT / "docs" / "hints").glob("*.md")}
    assert {page for page in pages if not page.endswith("/README")} <= names


def test_a_rule_that_nobody_knows_is_bad_usage_with_what_is_meant(podward: Podward) -> None:
    done = podward("rule", "pss/priviledged")
    assert done.returncode == 2
    assert "pss/privileged" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_sccs_and_rules(podward: Podward, shell: str) -> None:
    script = podward("completion", shell).stdout
    for word in ("restricted-v2", "hostmount-anyuid", "pss/privileged", "scc/volumes"):
        assert word in script.replace("\\:", ":")
