"""Environment variables from Secrets and ConfigMaps, and who may see them."""

from __future__ import annotations

import pytest
from case_corpus import case, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


def test_variables_come_from_secrets_and_config_maps(podward: Podward) -> None:
    done = run(podward, case("volumes/env-from.yaml"))
    assert (done.returncode, done.stdout) == (0, "carrot fast postgres://app:carrot@db plain unset\n"), done.stderr


ABSENT = {
    "volumes/env-key-absent.yaml": "couldn't find key passwrd in Secret default/db",
    "volumes/env-configmap-absent.yaml": 'configmap "nobody-made-it" not found',
}


@pytest.mark.parametrize("name", ABSENT)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_variable_that_nobody_gives_keeps_the_container_from_starting(
    podward: Podward, command: str, name: str
) -> None:
    done = podward(command, "-f", case(name))
    assert done.returncode == 1, done.stderr
    assert ABSENT[name] in said(done)


VALUES = ("hunter2-is-not-shown", "carrot-is-not-shown")


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "html", "svg"])
def test_values_stand_in_no_explanation_unless_asked_for(podward: Podward, form: str) -> None:
    done = podward("explain", "-f", case("hostile/show-env.yaml"), "-o", form)
    assert done.returncode == 0, done.stderr
    assert [value for value in VALUES if value in done.stdout + done.stderr] == []


@pytest.mark.parametrize("form", ["json", "yaml", "html"])
def test_show_env_shows_them(podward: Podward, form: str) -> None:
    done = podward("explain", "-f", case("hostile/show-env.yaml"), "-o", form, "--show-env")
    assert done.returncode == 0, done.stderr
    assert [value for value in VALUES if value not in done.stdout] == []


def test_a_report_of_a_run_has_no_values_either(podward: Podward) -> None:
    done = podward("run", "-f", case("hostile/show-env.yaml"), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert [value for value in VALUES if value in done.stdout] == []
