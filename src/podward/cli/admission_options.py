"""The options of an API server's admission plugins, with kube-apiserver's own names."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.errors import InputError, UsageError

if TYPE_CHECKING:
    from podward.stages.admission.configuration import Configured

_ENABLE, _DISABLE = "--enable-admission-plugins", "--disable-admission-plugins"
_FILE = "--admission-control-config-file"


def add_admission_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    add = parser.add_argument
    add(_DISABLE, type=_plugins, default="", metavar="NAMES", help="admission plugins to leave out")
    add(
        _ENABLE,
        type=_plugins,
        default="",
        metavar="NAMES",
        help="admission plugins beside the default ones, such as NodeRestriction",
    )
    add(_FILE, default="", metavar="FILE", help="configuration of admission plugins: an AdmissionConfiguration")


def _plugins(text: str) -> frozenset[str]:
    """Names of admission plugins: a misspelt one would leave its plugin at work."""
    from difflib import get_close_matches

    from podward.stages.admission.served import NAMES, OPENSHIFTS

    names, known = frozenset(text.split(",")) - {""}, NAMES | OPENSHIFTS
    for name in sorted(names - known):
        lowered = {each.lower(): each for each in known}
        near = get_close_matches(name.lower(), sorted(lowered), 1, 0.6)
        hint = f"; did you mean {lowered[near[0]]}?" if near else ""
        raise argparse.ArgumentTypeError(f"there is no admission plugin {name!r}{hint}")
    return names


def disabled_plugins(args: argparse.Namespace) -> frozenset[str]:
    """The plugins that do not act. Raises UsageError for one that is to act and not to act, or that is not here."""
    from podward.stages.admission.settings import ABSENT, OFF_BY_DEFAULT

    enabled: frozenset[str] = args.enable_admission_plugins
    disabled: frozenset[str] = args.disable_admission_plugins
    for name in sorted(enabled & disabled):
        raise UsageError(f"{name} is both enabled and disabled", where=_ENABLE, advice="name it once")
    for name in sorted(enabled & ABSENT):
        raise UsageError(f"kube-apiserver has {name}, this server has not", where=_ENABLE, advice="leave it out")
    return disabled | (OFF_BY_DEFAULT - enabled)


def configured_plugins(args: argparse.Namespace) -> Configured:
    """What the file says. Raises InputError with the line of what is wrong; UsageError for a plugin that needs it."""
    from podward.stages.admission import configuration

    file = args.admission_control_config_file
    found = configuration.read(_content(file), file, _content) if file else configuration.NOT_CONFIGURED
    if "EventRateLimit" in args.enable_admission_plugins and not found.plugins.event_limits:
        raise UsageError("EventRateLimit needs its limits", where=_ENABLE, advice=f"say them in the file of {_FILE}")
    return found


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=file, advice="name a file that is there") from None
