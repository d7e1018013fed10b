"""Which images go."""

from __future__ import annotations

import math

import pytest

from podward.api.cri_status import Image
from podward.policy.kubelet import image_collection as policy
from podward.policy.kubelet.image_collection import Known, Shortage, Thresholds


def known(name: str, since: float = 0.0, used: float = -math.inf, *, pinned: bool = False) -> Known:
    return Known(name, 1, pinned, since, used)


def names(images: list[Known]) -> list[str]:
    return [image.id for image in images]


def test_what_is_used_or_pinned_stays_and_what_was_used_last_goes_last() -> None:
    images = (known("used", used=1), known("pinned", pinned=True), known("late", 0, 9), known("early", 5, 3))
    never = (known("second", 2), known("first", 1))
    assert names(policy.unused({each.id: each for each in (*images, *never)}, {"used"})) == [
        "first", "second", "early", "late",
    ]  # fmt: skip


def test_since_when_an_image_is_here_is_kept_until_it_is_gone() -> None:
    first = policy.known({}, [Image("a", size=1), Image("b", size=2)], {"a"}, 1.0)
    second = policy.known(first, [Image("a", size=3, pinned=True), Image("c")], {"c"}, 2.0)
    assert second == {"a": Known("a", 3, True, 1.0, 1.0), "c": Known("c", 0, False, 2.0, 2.0)}
    assert policy.known(second, [Image("b")], (), 3.0)["b"].since == 3.0


@pytest.mark.parametrize(
    ("capacity", "available", "expected"),
    [
        (1000, 160, None),
        (1000, 159, Shortage(85, 1000, 41)),  # 84.1 % are 85
        (1000, 150, Shortage(85, 1000, 50)),
        (1000, 149, Shortage(86, 1000, 51)),
        (1000, 0, Shortage(100, 1000, 200)),
        (1000, 2000, None),
    ],
)
def test_a_disk_is_full_at_the_high_threshold_and_is_freed_to_the_low_one(
    capacity: int, available: int, expected: Shortage | None
) -> None:
    assert policy.shortage(Thresholds(), capacity, available) == expected


def test_what_came_just_now_stays() -> None:
    assert names(policy.old_enough(Thresholds(), [known("new", 901), known("old", 880)], 1000.0)) == ["old"]


def test_the_greatest_age_counts_once_the_node_has_run_for_so_long() -> None:
    images = [known("never"), known("long", used=100), known("lately", used=901)]
    thresholds = Thresholds(greatest_age=100.0)
    assert policy.too_old(thresholds, images, 1000.0, began=900.0) == []
    assert names(policy.too_old(thresholds, images, 1000.0, began=899.0)) == ["never", "long"]
    assert policy.too_old(Thresholds(), images, 1000.0, began=0.0) == []


@pytest.mark.parametrize(
    ("capacity", "size"),
    [(1000, "1000 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 30, "5.0 GiB"), (7 << 40, "7.0 TiB")],
)
def test_too_little_room_is_told_in_the_kubelets_words(capacity: int, size: str) -> None:
    assert Shortage(91, capacity, 5).told(4) == (
        f"Insufficient free disk space on the node's image filesystem (91% of {size} used). "
        "Failed to free sufficient space by deleting unused images (freed 4 bytes). "
        "Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
    )
