"""Unpacking layers to a root file system with umoci, then checking and reading the result.

umoci 0.4.7 resolves every directory inside of the root, checks each layer's digest, keeps owners, modes and file
capabilities, and creates devices. Layers with devices are refused before (`podward.runtime.images.layers`). The result
is checked again, in case that the two programs read an archive differently.
"""

from __future__ import annotations

import os
import stat

import msgspec

from podward.api.image import ImageConfig
from podward.api.node import IDENTITY
from podward.errors import ImageError, RuntimeFailedError
from podward.policy.runtime.passwd import LONGEST_LINE, parse_group, parse_passwd
from podward.runtime import machine, syscalls
from podward.runtime.images.layers import Room
from podward.runtime.images.layout import CONFIG, LAYOUT_FILE, MANIFEST, REF_NAME, Descriptor, corrupt_image
from podward.runtime.images.staging import Staging, replace
from podward.runtime.images.store import StoredImageFacts

LARGEST_USER_FILE = 1 << 20
"""The largest /etc/passwd or /etc/group, in bytes."""


class _Index(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int
    manifests: tuple[Descriptor, ...]


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]


def unpack(staging: Staging, where: str, config: Descriptor, layers: tuple[Descriptor, ...]) -> str:
    """Unpack these layers, which are staged and inspected, and return the new directory."""
    os.mkdir(f"{staging.path}/unpacked", 0o700)
    _write_layout(staging, config, layers)
    try:
        staging.run(("umoci", "raw", "unpack", "--image", ".:image", "unpacked/rootfs"))
    except RuntimeFailedError as error:
        raise _not_unpacked(error.what, where) from None
    return f"{staging.path}/unpacked"


def _not_unpacked(said: str, where: str) -> ImageError:
    if "chown" in said and "invalid argument" in said and machine.id_map("uid_map") != IDENTITY:
        advice = "have root add ranges to /etc/subuid and /etc/subgid for you, or run as root"
        return ImageError("it has files of users or groups that are none of yours", where=where, advice=advice)
    return corrupt_image(f"umoci can't unpack it: {said}", where)


def write_facts(directory: str, where: str, identifier: str, config: ImageConfig) -> None:
    """Check the files and write the facts for `ImageStore.load`, and the lock file for running containers."""
    taken = check(f"{directory}/rootfs", where)
    root = os.open(f"{directory}/rootfs", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        passwd = parse_passwd(_user_file(root, "etc/passwd", where, LONGEST_LINE))
        group = parse_group(_user_file(root, "etc/group", where, LARGEST_USER_FILE))
    finally:
        os.close(root)
    facts = StoredImageFacts(identifier, config, passwd, group, taken.bytes, taken.files)
    replace(f"{directory}/image.json", msgspec.json.encode(facts))
    os.close(os.open(f"{directory}/lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def check(root: str, where: str) -> Room:
    """What the files below `root` take of the disk; a file with several links counts once.

    Raises ImageError if there is a device or an attribute that `inspect_layer` refuses.
    """
    waiting = [root]
    taken, files, linked = 0, 0, set[int]()
    while waiting:
        directory = waiting.pop()
        if _has_trusted(directory):
            raise corrupt_image(f"{directory.removeprefix(root)!a} has trusted.* attributes", where)
        with os.scandir(directory) as entries:
            for entry in entries:
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    waiting.append(entry.path)
                elif stat.S_ISCHR(facts.st_mode) or stat.S_ISBLK(facts.st_mode) or _has_trusted(entry.path):
                    raise corrupt_image(
                        f"{entry.path.removeprefix(root)!a} is a device, or has trusted.* attributes", where
                    )
                elif facts.st_nlink > 1:
                    if facts.st_ino in linked:
                        continue
                    linked.add(facts.st_ino)
                taken, files = taken + facts.st_blocks * 512, files + 1
    return Room(taken, files)


def _has_trusted(path: str) -> bool:
    return any(name.startswith("trusted.") for name in os.listxattr(path, follow_symlinks=False))


def _write_layout(staging: Staging, config: Descriptor, layers: tuple[Descriptor, ...]) -> None:
    """Write a layout with this one image, with media types that umoci knows."""
    config = Descriptor(config.digest, config.size, CONFIG)
    manifest = msgspec.json.encode(_Manifest(2, MANIFEST, config, layers))
    digits = _sha256(manifest)
    replace(staging.blob(digits), manifest)
    pointer = Descriptor(f"sha256:{digits}", len(manifest), MANIFEST, annotations={REF_NAME: "image"})
    replace(f"{staging.path}/index.json", msgspec.json.encode(_Index(2, (pointer,))))
    replace(f"{staging.path}/oci-layout", LAYOUT_FILE)


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _user_file(root: int, name: str, where: str, longest_line: int) -> str:
    """The text of a file of the image, with links resolved inside of the image; empty if there is no such file."""
    try:
        descriptor = syscalls.openat2(
            root,
            name,
            os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY,
            syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS,
        )
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise _unreadable(name, error.strerror or str(error), where) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable(name, "it is no regular file", where)
    with open(descriptor, "rb") as opened:
        content = opened.read(LARGEST_USER_FILE + 1)
    if len(content) > LARGEST_USER_FILE:
        raise _unreadable(name, f"it is larger than {LARGEST_USER_FILE:,} bytes", where)
    if any(len(line) >= longest_line for line in content.split(b"\n")):
        raise _unreadable(name, f"it has a line of {longest_line:,} bytes or more", where)
    return content.decode(errors="replace")


def _unreadable(name: str, why: str, where: str) -> ImageError:
    advice = "no runtime could find out its users: correct the file in the image"
    return ImageError(f"the image's /{name} can't be read: {why}", where=where, advice=advice)
