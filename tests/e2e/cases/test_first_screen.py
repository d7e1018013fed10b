"""explain says in its first screen what matters: a verdict, what somebody wrote, and what to type next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from case_corpus import case, row, said, text_of, write
from podward_command import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

EXAMPLES = PROJECT / "examples"
GROUPS = str(EXAMPLES / "03-implicit-groups.yaml")

VERDICTS = {
    "03-implicit-groups": "runs as 1000:3000, groups 3000 4000 50000 · no capabilities · seccomp unconfined · 2 hints",
    "02-run-as-user": r"runs as \d+:\d+",
    "10-user-namespace": r"runs as 0:0.*(user namespace|hostUsers)",
    "05-non-root-refused": r"refused.*runAsNonRoot",
}


def first_lines(text: str, number: int = 5) -> str:
    return "\n".join(text.splitlines()[:number])


@pytest.mark.parametrize("name", VERDICTS)
def test_the_table_opens_with_a_verdict(podward: Podward, name: str) -> None:
    done = podward("explain", "-f", str(EXAMPLES / f"{name}.yaml"))
    assert re.search(VERDICTS[name], first_lines(done.stdout)), first_lines(done.stdout)


def test_an_admitted_pod_names_its_scc_in_the_verdict(podward: Podward) -> None:
    done = podward("explain", "--cluster", "openshift", "-f", str(EXAMPLES / "16-restricted-v2.yaml"))
    opening = first_lines(done.stdout, 6)
    assert "runs as 1000230000:" in opening
    assert "restricted-v2" in opening


DEFAULTS = ("masked paths", "read-only paths", "sysctl", "rlimits", "caps inheritable", "caps ambient", "mounts")


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_that_nobody_changed_wait_for_wide(podward: Podward, name: str) -> None:
    assert row(podward("explain", "-f", GROUPS).stdout, name) == ""
    assert row(podward("explain", "-f", GROUPS, "-o", "wide").stdout, name) != ""


def test_what_somebody_wrote_is_always_there(podward: Podward) -> None:
    table = podward("explain", "-f", str(EXAMPLES / "13-sysctl.yaml")).stdout
    assert re.search(r"^sysctl .*kernel\.|^sysctl .*net\.", table, re.MULTILINE)
    assert "13-sysctl.yaml" in table
    for name in ("user", "group", "groups"):
        assert row(podward("explain", "-f", GROUPS).stdout, name), name


def test_the_first_screen_of_an_example_is_one_screen(podward: Podward) -> None:
    for name in ("02-run-as-user", "03-implicit-groups", "07-read-only-root"):
        table, _, _ = podward("explain", "-f", str(EXAMPLES / f"{name}.yaml")).stdout.partition("\nhint ")
        assert len(table.splitlines()) <= 40, name


def test_no_word_is_cut_within_a_sysctls_name(podward: Podward) -> None:
    for columns in ("60", "80", "100"):
        podward.environment["COLUMNS"] = columns
        wide = podward("explain", "-f", GROUPS, "-o", "wide").stdout
        assert "net.ipv4.ip_unprivileged_port_start" in wide, columns


def test_the_short_words_of_the_stages_are_explained_where_they_stand(podward: Podward) -> None:
    table = podward("explain", "-f", GROUPS).stdout
    for short, long in {"eff": "kubelet", "oci": "runtime", "krn": "kernel"}.items():
        assert re.search(rf"\b{short}\b[^\n]*{long}", table), short
    assert re.search(r"\bbox\b[^\n]*sandbox", podward("explain", "-f", GROUPS, "-o", "wide").stdout)


TWO = """apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - {name: a, image: "busybox:root"}
  - {name: b, image: "busybox:root"}
  - {name: c, image: "busybox:root", securityContext: {seccompProfile: {type: RuntimeDefault}}}
"""


def test_a_hint_that_several_containers_share_is_told_once(podward: Podward) -> None:
    table = podward("explain", "-f", "-", stdin=TWO).stdout
    assert len(re.findall(r"^hint seccomp-unset\b", table, re.MULTILINE)) == 1
    told = table[table.index("hint seccomp-unset") :]
    assert re.search(r"\ba\b.{1,5}\bb\b", told), "and which they are"


def test_sccs_that_were_not_tried_are_folded(podward: Podward) -> None:
    table = podward("explain", "--cluster", "openshift", "-f", str(EXAMPLES / "16-restricted-v2.yaml")).stdout
    folded = [line for line in table.splitlines() if "not tried" in line]
    assert len(folded) == 1
    assert "restricted-v3" in table
    whole = podward("explain", "--cluster", "openshift", "-f", str(EXAMPLES / "16-restricted-v2.yaml"), "-o", "wide")
    assert len([line for line in whole.stdout.splitlines() if "not tried" in line]) > 1


REFUSED = {
    "run-non-root": ("run", "-f", str(EXAMPLES / "05-non-root-refused.yaml")),
    "explain-non-root": ("explain", "-f", str(EXAMPLES / "05-non-root-refused.yaml")),
    "admit-scc": ("admit", "--cluster", "openshift", "-f", case("manifests/rl.yaml")),
    "run-image": ("run", "-f", case("identity/nonexistent-image.yaml")),
    "run-volume": ("run", "-f", case("volumes/iscsi.yaml")),
    "run-sysctl": ("run", "-f", case("identity/slash-unsafe.yaml")),
    "run-entry": ("run", "-f", case("identity/configmap-script.yaml")),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_every_refusal_ends_with_the_next_command_to_type(podward: Podward, words: tuple[str, ...]) -> None:
    done = podward(*words)
    assert done.returncode != 0
    end = " ".join(f"{done.stdout}\n{done.stderr}".split()[-40:])
    assert re.search(r"\bpodward (explain|run|image|check|admit|doctor|rule) ", end), end


def test_a_write_that_is_denied_is_followed_by_the_question_to_ask(podward: Podward, tmp_path: Path) -> None:
    """The container's own message says where; podward says how to learn why."""
    text = text_of("hostile/clean.yaml").replace('command: ["true"]', 'command: ["touch", "/etc/x"]')
    file = write(tmp_path, "pod.yaml", text)
    done = podward("run", "-f", file)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert re.search(r"podward explain .*--access /etc", said(done))
    asked = podward("explain", "-f", file, "--access", "/etc:w")
    assert (asked.returncode, "denied EACCES" in asked.stdout) == (1, True)


def test_a_cluster_is_chosen_by_what_is_described(podward: Podward) -> None:
    clean = case("hostile/clean.yaml")
    kubernetes = podward("explain", "-f", clean, "--namespace", case("manifests/ns-kubernetes.yaml")).stdout
    assert "restricted-v2" not in kubernetes
    openshift = podward("explain", "-f", clean, "--namespace", case("manifests/ns.yaml")).stdout
    assert "restricted-v2" in openshift
    by_scc = podward("explain", "-f", clean, "--scc", case("manifests/rook-scc.yaml")).stdout
    assert "restricted-v2" in by_scc


def test_admit_is_never_openshift_by_surprise(podward: Podward) -> None:
    words = ("-f", case("manifests/fc.yaml"))
    for more in ((), ("--namespace", case("manifests/ns-kubernetes.yaml"))):
        stored = podward("admit", *words, *more)
        assert (stored.returncode, "openshift.io" in stored.stdout) == (0, False), stored.stderr
    for more in (("--namespace", case("manifests/ns.yaml")), ("--scc", case("hostile/wide-scc.yaml")),
                 ("--cluster", "openshift")):  # fmt: skip
        assert "openshift.io/scc: restricted-v2" in podward("admit", *words, *more).stdout


SYSCTLS = """apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  securityContext: {sysctls: [{name: kernel.msgmax, value: "9000"}, {name: net.core.somaxconn, value: "1024"}]}
  volumes: [{name: v, secret: {secretName: s}}]
  containers: [{name: a, image: "busybox:root", command: ["true"]}]
"""


def test_the_next_command_can_be_pasted(podward: Podward, tmp_path: Path) -> None:
    """It names every file that decides, and what was allowed already stays allowed."""
    podward.environment["COLUMNS"] = "1000"
    pod = write(tmp_path, "pod.yaml", SYSCTLS)
    secret = write(tmp_path, "my secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
    for command in ("run", "explain"):
        words = (command, pod, secret, "--allowed-unsafe-sysctls", "kernel.msgmax")
        done = podward(*words)
        assert done.returncode == 1
        suggested = re.search(r"(?:next:|→) `podward ([^`]*)`", said(done))
        assert suggested, said(done)
        again = shlex.split(suggested[1])
        assert again == [*words, "--allowed-unsafe-sysctls", "net.core.somaxconn"]
        assert "not allowlisted" not in said(podward("explain", *again[1:]))
