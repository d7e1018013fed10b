"""`podward image`: import, build, pull, list and remove local images."""

from __future__ import annotations

import argparse
import sys

import msgspec

from podward.cli import image_options, terminal
from podward.errors import ImageError, UsageError
from podward.render.escaping import clipped, json_text, printable
from podward.runtime.images.store import ImageStore, IndexEntry, StoredImage
from podward.runtime.state import state_root

_WIDEST_USER = 40
SUMMARY = "import, build, pull, list and remove local images"

EXAMPLES = (
    ("An archive of `docker save` or `podman save`, an OCI archive, or an OCI layout:", "podward image import app.tar"),
    (
        "An image from files, without running anything:",
        "podward image build -f examples/images/busybox -t busybox:root .",
    ),
    ("From a registry; credentials are those of `skopeo login`:", "podward image pull quay.io/team/app:1.0"),
    ("A registry on this machine may speak plain HTTP:", "podward image pull localhost:5000/app"),
    ("What is here:", "podward image ls"),
    ("Remove a name, or an image with all its names:", "podward image rm app:1.0 3f2a9c"),
)


class ListedImage(msgspec.Struct, rename="camel"):
    """An image in the lists that are printed; `size` is the size of its stored layers in bytes."""

    id: str
    names: list[str]
    digests: list[str]
    user: str
    size: int


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    kinds = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    taken = kinds.add_parser("import", help="take images from a file or directory")
    taken.add_argument("path", metavar="PATH", help="OCI layout, OCI archive, or docker archive")
    taken.add_argument("--name", metavar="REF", default="", help="the image's name, instead of its own")
    built = kinds.add_parser("build", help="make an image from a Containerfile without RUN")
    built.add_argument(
        "context", metavar="CONTEXT", nargs="?", help="where COPY copies from (default: the file's directory)"
    )
    built.add_argument("-f", "--file", metavar="FILE", help="Containerfile, or its directory (default: in CONTEXT)")
    built.add_argument("-t", "--tag", metavar="REF", default="", help="the image's name")
    pulled = kinds.add_parser("pull", help="fetch an image from a registry")
    pulled.add_argument("name", metavar="REF")
    pulled.add_argument(
        "--tls-verify",
        metavar="BOOL",
        type=_boolean,
        nargs="?",
        const=True,
        help="verify certificates, refuse plain HTTP (default: true, except of registries on loopback)",
    )
    pulled.add_argument("--authfile", metavar="FILE", default="", help="registry credentials (default: skopeo's)")
    image_options.add_registries(pulled)
    listed = kinds.add_parser("ls", help="list images")
    removed = kinds.add_parser("rm", help="remove names; an id removes the image with all its names")
    removed.add_argument("names", metavar="REF", nargs="+")
    pruned = kinds.add_parser("prune", help="remove images without a name that nobody uses")
    for one in (taken, built, pulled, listed, removed, pruned):
        one.add_argument("-o", "--output", choices=("table", "json"), default="table", help="how to print")


def run(args: argparse.Namespace) -> int:
    """Run the action of the command line."""
    store = ImageStore(state_root())
    if args.action == "ls":
        _list(_grouped(store, store.entries()), args.output)
        return 0
    if args.action == "rm":
        from podward.runtime.images.removal import remove

        _print(remove(store, tuple(args.names)), args.output)
        return 0
    if args.action == "prune":
        from podward.runtime.images.removal import collect

        _print(collect(store), args.output)
        return 0
    ids = dict.fromkeys(_obtain(store, args))
    done = [image for image in _grouped(store, store.entries()) if image.id in ids]
    if args.output == "json":
        _json(done)
        return 0
    for image in done:
        print(*map(printable, image.names or ["<none>"]), image.id[7:19])
        if not image.names:
            terminal.say("the image has no name: --name or -t gives it one")
    return 0


def _obtain(store: ImageStore, args: argparse.Namespace) -> list[str]:
    """Import, build or pull images; returns their ids."""
    if args.action == "import":
        from podward.runtime.images.importing import import_path

        return [image.id for image in import_path(store, args.path, args.name)]
    if args.action == "pull":
        from podward.runtime.images.pulling import Registries, pull

        registries = Registries(args.registries_conf, args.registry_config_dir, args.authfile, args.tls_verify)
        progress = terminal.say if sys.stderr.isatty() else None
        return [pull(store, args.name, registries, progress=progress).id]
    from podward.runtime.images.building import build, find

    if not (args.file or args.context):
        raise UsageError("say what to build", where="image build", advice="-f FILE, or the directory it is in")
    file, directory = find(args.file or args.context)
    return [build(store, file, args.context or directory, args.tag).id]


def _grouped(store: ImageStore, entries: tuple[IndexEntry, ...]) -> list[ListedImage]:
    """Each image with all its names; images with names come first."""
    images: dict[str, ListedImage] = {}
    for entry in entries:
        if entry.id not in images:
            images[entry.id] = ListedImage(entry.id, [], [], *_facts(store, entry))
        image = images[entry.id]
        if "@" in entry.name:
            image.digests.append(entry.name)
        elif entry.name:
            image.names.append(entry.name)
    return sorted(images.values(), key=lambda image: (not image.names, image.names, image.id))


def _facts(store: ImageStore, entry: IndexEntry) -> tuple[str, int]:
    """The user and the size of an image; for a damaged image `?` and 0, and a message on standard error."""
    from podward.runtime.images.layout import Manifest, decode

    digits = entry.id.removeprefix("sha256:")
    root = f"{store.directory}/rootfs/{digits}/rootfs"
    place = f"{store.directory}/blobs/sha256/{entry.manifest.removeprefix('sha256:')}"
    try:
        image = store.load(StoredImage(entry.name, entry.name, entry.id, entry.manifest, root))
        with open(place, "rb") as opened:
            return image.config.user, sum(layer.size for layer in decode(opened.read(), Manifest, place).layers or ())
    except (OSError, ImageError) as error:
        advice = f"`podward image rm {digits[:12]}`, then import, build or pull it again"
        terminal.say(f"{entry.name or digits[:12]} is damaged: {error}\n  {advice}")
        return "?", 0


def _list(images: list[ListedImage], output: str) -> None:
    if output == "json":
        _json(images)
        return
    rows = [("NAME", "IMAGE ID", "USER", "SIZE")]
    for image in images:
        facts = (image.id[7:19], clipped(image.user, _WIDEST_USER) or "-", f"{image.size / 1e6:.1f} MB")
        rows += [(printable(name), *facts) for name in image.names or ["<none>"]]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)), row[3], sep="  ")


def _print(ids: tuple[str, ...], output: str) -> None:
    if output == "json":
        _json(list(ids))
    else:
        print(*(f"removed {identifier[7:19]}" for identifier in ids), sep="\n", end="\n" if ids else "")


def _json(value: list[ListedImage] | list[str]) -> None:
    sys.stdout.write(json_text(value, 2))


def _boolean(word: str) -> bool:
    match word.lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no":
            return False
        case _:
            raise argparse.ArgumentTypeError(f"{word!r} is neither true nor false")
