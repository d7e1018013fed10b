"""A server does not start with keys that others may have read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from podward.errors import InputError
from podward.server.account_keys import kept_key
from podward.server.own_authority import OwnAuthority


@pytest.mark.parametrize(("name", "make"), [("ca.key", OwnAuthority), ("service-account.key", kept_key)])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_read_is_refused(
    tmp_path: Path, name: str, make: Callable[[str], object], mode: int
) -> None:
    make(str(tmp_path))
    assert os.stat(tmp_path / name).st_mode & 0o777 == 0o600
    make(str(tmp_path))
    os.chmod(tmp_path / name, mode)
    with pytest.raises(InputError, match="others may read it"):
        make(str(tmp_path))
