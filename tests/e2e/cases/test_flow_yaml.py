"""YAML as kubectl and the API server read it: libyaml's Go port, which differs from libyaml inside brackets.

What kubectl 1.37 makes of each line was recorded (`kubectl label --local -f - x=y -o json`).
"""

from __future__ import annotations

import json

import pytest
from case_corpus import Checked, case
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

POD = """apiVersion: v1
kind: Pod
metadata: {{name: a}}
spec:
  containers:
  - name: a
    image: busybox:1.36
    args: {}
"""
READ = {
    "colon-at-the-end": ("[a:]", ["a:"]),
    "address": ("[001:db8::]", ["001:db8::"]),
    "colon-before-a-comma": ("[a:, b]", ["a:", "b"]),
    "two-colons": ("[a:b:]", ["a:b:"]),
    "colon-within": ("[1:2, x]", ["1:2", "x"]),
    "listen": ("[--listen=:8080, http://x:80/y]", ["--listen=:8080", "http://x:80/y"]),
    "zone": ("[fe80::1%eth0]", ["fe80::1%eth0"]),
    "dash": ("[-]", ["-"]),
    "others": ("[a#b, =, <<, 12:30:45, 2001-01-01]", ["a#b", "=", "<<", "12:30:45", "2001-01-01"]),
    "last-comma": ("[a,]", ["a"]),
}
REFUSED = {
    "query": "[curl, http://x/y?z=1]",
    "question-mark-within": "[a?b]",
    "question-mark-at-the-end": "[key=?]",
    "question-mark-alone": "[?]",
    "colons-first": "[::1]",
    "colon-first": "[:a]",
    "dash-and-blank": "[- a]",
    "at": "[@a]",
    "two-commas": "[a,,b]",
    "escaped-slash": '["a\\/b"]',
}


@pytest.mark.parametrize(("args", "value"), READ.values(), ids=READ)
def test_what_kubectl_reads_is_read(podward: Podward, args: str, value: list[str]) -> None:
    done = podward("admit", "--cluster", "kubernetes", "-f", "-", "-o", "json", stdin=POD.format(args))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["spec"]["containers"][0]["args"] == value


@pytest.mark.parametrize("args", REFUSED.values(), ids=REFUSED)
def test_what_kubectl_refuses_is_refused_with_its_line(podward: Podward, args: str) -> None:
    checked = Checked(podward, "-", stdin=POD.format(args))
    assert checked.code == 2
    assert [(finding["rule"], finding["line"]) for finding in checked.findings(severity="error")] == [
        ("input/syntax", 8)
    ]
    done = podward("explain", "-f", "-", stdin=POD.format(args))
    assert (done.returncode, "<stdin>:8" in done.stderr) == (2, True)


@pytest.mark.parametrize(("name", "code"), [("fc", 0), ("flow-colon", 2), ("vf", 2)])
def test_the_files_are_read_or_refused_as_kubectl_does(podward: Podward, name: str, code: int) -> None:
    assert Checked(podward, case(f"manifests/{name}.yaml"), "--level", "privileged").code == code


def test_a_quoted_key_needs_no_blank_behind_its_colon(podward: Podward) -> None:
    manifest = POD.format("[]").replace("metadata: {name: a}", 'metadata: {"name":a, "labels":{"x":"y"}}')
    done = podward("admit", "--cluster", "kubernetes", "-f", "-", "-o", "json", stdin=manifest)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metadata"]["labels"] == {"x": "y"}
