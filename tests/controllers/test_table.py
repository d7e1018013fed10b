"""The table of controllers: each stands in it once, in order, and can be made."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter

import pytest

from podward.controllers.table import TABLE, Row, enabled, unknown


def test_each_controller_stands_once_and_in_order() -> None:
    names = [row.name for row in TABLE]
    assert names == sorted(names)
    every = Counter(name for row in TABLE for name in {row.name, row.older})
    every.update(row.module for row in TABLE)
    assert [name for name, count in every.items() if count > 1] == []


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_its_module_makes_it(row: Row) -> None:
    assert inspect.iscoroutinefunction(importlib.import_module(row.module).make)


def test_controllers_are_chosen_by_either_name() -> None:
    assert [row.name for row in enabled("job,cronjob-controller")] == ["cronjob-controller", "job-controller"]
    assert len(enabled("*,-job")) == len(TABLE) - 1
    assert (unknown("*,-job,job-controller"), unknown("*,-jobs")) == ("", "jobs")
