"""`--with FILE`: the objects that the Pods of the input refer to, from the input itself and from files beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from podward.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from podward.api.referenced_objects import ReferencedObjects
    from podward.documents.document import Document


_OPTION = "--stand-in"
_ADVICE = "write a volume's name and a directory of this machine: `--stand-in data=/srv/data`"


def add(parser: argparse.ArgumentParser) -> None:
    """The option."""
    parser.add_argument(
        "--with",
        dest="beside",
        action="append",
        default=[],
        metavar="FILE",
        help="a file or directory with Secrets, ConfigMaps and the like that the Pods name; Pods in it are not run",
    )


def add_stand_in(parser: argparse.ArgumentParser) -> None:
    """The option that mounts a directory in the place of a volume."""
    parser.add_argument(
        "--stand-in",
        dest="stand_in",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="mount this directory in the place of the volume of this name, such as one that needs a driver",
    )


def gather(documents: tuple[Document, ...], args: argparse.Namespace) -> ReferencedObjects:
    """The objects of the input, whose fields were checked, then those of `--with`, in order.

    Raises InputError for a file of `--with` that is no manifest, or whose fields do not fit, UsageError for a word of
    `--stand-in` that names no volume or no directory.
    """
    from msgspec import structs

    from podward.cli import inputs
    from podward.schema.referenced_objects import collect
    from podward.schema.strict import require  # --help needs none of these

    beside = inputs.documents(args.beside, "name a file with objects that the Pods name") if args.beside else ()
    for document in beside:
        require(document)
    objects = collect((*documents, *beside))
    stand_ins = _stand_ins(documents, args.stand_in)
    return structs.replace(objects, storage=structs.replace(objects.storage, stand_ins=stand_ins))


def _stand_ins(documents: tuple[Document, ...], words: list[str]) -> dict[str, str]:
    """The directories by the names of the volumes that they stand for."""
    if not words:
        return {}
    from podward.schema.workload import pod_sources

    specs = (source.view.spec for document in documents for source in pod_sources(document))
    volumes = {volume.name for spec in specs for volume in spec.volumes or ()}
    found = {}
    for word in words:
        name, equals, directory = word.partition("=")
        if not equals or not name or not directory:
            raise UsageError(
                f"{word!r} does not say which directory stands in for which volume", where=_OPTION, advice=_ADVICE
            )
        if name not in volumes:
            known = ", ".join(sorted(volumes)) or "none"
            raise UsageError(f"no Pod has a volume {name!r}", where=_OPTION, advice=f"the volumes: {known}")
        if not os.path.isdir(directory):
            raise UsageError(f"{directory!r}, for volume {name}, is no directory", where=_OPTION, advice=_ADVICE)
        found[name] = os.path.realpath(directory)
    return found
