"""The options about images that are not here: whose process to assume (`--image-user`), or to bring them (`--pull`)."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from podward.cli import terminal
from podward.errors import PodwardError, UsageError

if TYPE_CHECKING:
    from podward.api.core import Pod
    from podward.api.image import AssumedUser
    from podward.runtime.explaining.images import AssumedUsers

_OPTION = "--image-user"

_HIGHEST = (1 << 31) - 1
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?"
_ADVICE = "write --image-user UID:GID, or for one of several images --image-user IMAGE=UID:GID"


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        _OPTION,
        action="append",
        default=[],
        metavar="[IMAGE=]UID:GID",
        help="assume this user of images that are not here: uid (or name), and group in its /etc/passwd",
    )
    add_pull(parser)


def add_pull(parser: argparse.ArgumentParser) -> None:
    """Add the option that brings images."""
    parser.add_argument("--pull", action="store_true", help="first pull the images that are not here")


def add_registries(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how registries are configured."""
    parser.add_argument(
        "--registries-conf",
        metavar="FILE",
        default="",
        help="mirrors, and who needs no TLS, as for CRI-O (default: /etc/containers/registries.conf)",
    )
    parser.add_argument(
        "--registry-config-dir",
        metavar="DIR",
        default="",
        help="containerd's directory of HOST/hosts.toml; it counts before --registries-conf",
    )


def assumed(words: list[str]) -> AssumedUsers:
    """What the words of `--image-user` say. Raises UsageError for another form, and for two about one image."""
    from podward.api.reference import parse
    from podward.runtime.explaining.images import NO_USERS, AssumedUsers  # --help needs none of these

    if not words:
        return NO_USERS
    by_image: dict[str, AssumedUser] = {}
    for word in words:
        image, _, text = word.rpartition("=")
        try:
            name = str(parse(image)) if image else ""
        except PodwardError as error:
            raise UsageError(error.what, where=_OPTION, advice=_ADVICE) from error
        if name in by_image:
            raise UsageError(
                f"{word!r} is the second word about {image or 'all images'}", where=_OPTION, advice=_ADVICE
            )
        by_image[name] = _user(text)
    return AssumedUsers(by_image, by_image.pop("", None))


def _user(text: str) -> AssumedUser:
    from podward.api.image import AssumedUser

    user, colon, group = text.partition(":")
    for part in (user, group) if colon else (user,):
        if part.isascii() and part.isdigit():
            if int(part) > _HIGHEST:
                raise UsageError(f"{text!r}: ids go up to {_HIGHEST}", where=_OPTION, advice=_ADVICE)
        elif part is group or not re.fullmatch(_NAME, part):
            raise UsageError(f"{text!r} is no user: a uid or a name, and a gid", where=_OPTION, advice=_ADVICE)
    return AssumedUser(str(int(user)) if user.isdigit() else user, int(group) if colon else None)


def pull(pods: Iterable[Pod], root: str) -> list[PodwardError]:
    """Pull what the Pods' containers name and is not here, each image once; returns what failed. Raises nothing else.

    `root` is the state directory.
    """
    from podward.runtime.images.pulling import pull as pull_one
    from podward.runtime.images.store import ImageStore

    store, failed = ImageStore(root), []
    for name in dict.fromkeys(_images(pods)):
        try:
            if store.find(name) is None:
                terminal.say(f"pulling {name}")
                pull_one(store, name)
        except PodwardError as error:
            failed.append(error)
    return failed


def _images(pods: Iterable[Pod]) -> Iterable[str]:
    from podward.api.core import every_container

    for pod in pods:
        for _, _, container in every_container(pod.spec):
            if container.image:
                yield container.image
