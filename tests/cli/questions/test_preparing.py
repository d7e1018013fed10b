"""Which preparations of its Pod a question may ask for."""

from __future__ import annotations

import pytest

from podward.cli.questions.preparing import prepared
from podward.errors import UsageError

ANNOTATION = "container.apparmor.security.beta.kubernetes.io/c"
POD = {"metadata": {"annotations": {ANNOTATION: "unconfined"}}, "spec": {"containers": [{"name": "c"}]}}


@pytest.mark.parametrize(
    ("how", "defaulted", "created"), [("none", False, False), ("defaults", True, False), ("create", True, True)]
)
def test_each_does_what_the_one_before_does_and_more(how: str, *, defaulted: bool, created: bool) -> None:
    made = str(prepared(POD, how))  # type: ignore[arg-type]  # JSON
    assert ("terminationMessagePath" in made) is defaulted
    assert ("appArmorProfile" in made) is created


def test_there_is_no_other() -> None:
    with pytest.raises(UsageError):
        prepared({}, "some")
