"""Which question is asked after a container's own words."""

from __future__ import annotations

import shlex

import pytest

from podward.render.denied_paths import after_message
from podward.render.next_command import CommandContext

HERE = CommandContext("pod.yaml")


@pytest.mark.parametrize(
    ("line", "question"),
    [
        ("touch: /etc/x: Permission denied", "/etc:w"),
        ("mkdir: cannot create directory '/data/a b': Permission denied", "/data:w"),
        ("sh: can't create /etc/x: Permission denied", "/etc:w"),
        ("cat: can't open '/etc/shadow': Permission denied", "/etc/shadow:r"),
        ("ls: can't open '/root': Permission denied", "/root:r"),
        ('nginx: [emerg] open() "/var/run/nginx.pid" failed (13: Permission denied)', "/var/run/nginx.pid:rw"),
        ("PermissionError: [Errno 13] Permission denied: '/data/db'", "/data/db:rw"),
        ("Error: EACCES: permission denied, mkdir '/app/cache'", "/app:w"),
        ("2024/01/01 12:00:00 open /etc/tls/key.pem: permission denied", "/etc/tls/key.pem:rw"),
        ("sh: /scripts/run.sh: Permission denied", "/scripts/run.sh:x"),
        ("fork/exec /bin/tool: permission denied", "/bin/tool:x"),
        ("cat: can't open '/dev/fuse': Operation not permitted", "/dev/fuse:rw"),
        ("rm: can't remove '/x': Permission denied", "/:w"),
    ],
)
def test_the_path_and_what_was_wanted_of_it_are_read_from_the_message(line: str, question: str) -> None:
    assert after_message(line, HERE) == f"podward explain pod.yaml --access {question}"


@pytest.mark.parametrize(
    "line",
    ["chown: /data: Operation not permitted", "mount: permission denied (are you root?)",
     "sysctl: error setting key: /proc/sys/net/x: Permission denied", "ping: EPERM"],
)  # fmt: skip
def test_what_is_about_no_file_is_asked_as_a_whole(line: str) -> None:
    assert after_message(line, HERE) == "podward explain pod.yaml -o wide"


@pytest.mark.parametrize("line", ["", "all is well", "access denied for user 'root'", "not permitted by policy"])
def test_other_words_are_left_alone(line: str) -> None:
    assert after_message(line, HERE) == ""


def test_one_container_of_several_is_named() -> None:
    assert after_message("touch: /etc/x: Permission denied", CommandContext("a b.yaml", "--with c.yaml", "web")) == (
        "podward explain 'a b.yaml' --with c.yaml --access /etc:w --container web"
    )


def test_hostile_words_stay_one_word_of_the_command() -> None:
    command = after_message("cat: /a$(reboot)`id`'x: Permission denied", HERE)
    assert shlex.split(command) == ["podward", "explain", "pod.yaml", "--access", "/a$:r"]
    assert after_message("/" + "a" * 5000 + ": Permission denied", HERE) == ""
    assert after_message("/" + "a" * 2000 + ": Permission denied", HERE) == "podward explain pod.yaml -o wide"
