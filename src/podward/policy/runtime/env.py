"""The environment of the process in the spec.

Specification, in our words. The runtimes do not set HOME: the OCI runtime takes it from the container's /etc/passwd if
it is unset.
- containerd (2.2 `buildLinuxSpec`, `oci.WithEnv`) starts with PATH, `TERM=xterm` for a terminal, and HOSTNAME. Then
  come the image's variables and the CRI's. A variable with one of the first three names replaces that entry at its
  position. Others are appended even if they repeat a name; the last one counts. A variable without `=` removes the
  entry.
- CRI-O (1.33 `setupContainerEnvironmentAndWorkdir`, `mergeEnvs`) starts with PATH, `TERM=xterm` always, and HOSTNAME.
  Then come the CRI's variables, and those of the image that the CRI does not set. Each name stands once, at its first
  position. A variable without `=` is ignored.
- Docker (29 `CreateDaemonEnvironment`, `merge`) starts with PATH, HOSTNAME, and `TERM=xterm` for a terminal. Then it
  continues as CRI-O does, but a variable without `=` removes the entry.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig
from podward.api.image import Image, UnknownImage
from podward.decision import Assignment, Decision, Origin, Source, assign
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("process", "env")
TERM = "TERM=xterm"

_Row = tuple[str, str, Source]


def decide(config: ContainerConfig, image: Image | UnknownImage, hostname: str, runtime: RuntimeProfile) -> Decision:
    """`process.env`, one assignment for each item.

    `hostname` is the Pod's, or the node's on the host's network; "" leaves HOSTNAME out.
    """
    rows: list[_Row] = [(entry, "the runtime's own", runtime.source) for entry in runtime.defaults.environment]
    terminal: list[_Row] = [(TERM, "tty", runtime.source_of("tty"))] if config.tty else []
    named: list[_Row] = [(f"HOSTNAME={hostname}", "the Pod's host name", runtime.source)] if hostname else []
    rows += named + terminal if runtime.name == "docker" else terminal + named
    if runtime.name == "cri-o":
        rows = _unique(rows)
    of_pod: list[_Row] = [
        (f"{variable.key}={variable.value}", "env", runtime.source_of("envs", index))
        for index, variable in enumerate(config.envs)
    ]
    if isinstance(image, UnknownImage):
        return _without_image(_unique(of_pod), image)
    origin = Source(Origin.IMAGE, image.name, path("config", "Env"))
    of_image: list[_Row] = [(entry, "the image's Env", origin) for entry in image.config.env]
    if runtime.name == "containerd":
        merged = _replace(rows, of_image + of_pod)
    else:
        set_by_pod = {variable.key for variable in config.envs}
        more = of_pod + [row for row in of_image if _name(row) not in set_by_pod]
        merged = (
            _unique(rows + [row for row in more if "=" in row[0]]) if runtime.name == "cri-o" else _replace(rows, more)
        )
    return _listed(merged)


def _listed(rows: list[_Row]) -> Decision:
    return Decision(
        tuple(Assignment(PLACE / i, entry, reason, source) for i, (entry, reason, source) in enumerate(rows))
    )


def _without_image(rows: list[_Row], image: UnknownImage) -> Decision:
    """The CRI's variables, and one item for all that come from elsewhere."""
    origin = Source(Origin.IMAGE, image.name, path("config", "Env"))
    reason = "the image's Env, and of the runtime's own what it does not replace"
    return _listed(rows) + assign(PLACE / len(rows), image.unknown, reason, origin)


def _name(row: _Row) -> str:
    return row[0].partition("=")[0]


def _replace(rows: list[_Row], more: list[_Row]) -> list[_Row]:
    """The rows after containerd's and Docker's `replaceOrAppendEnvValues`."""
    places = {_name(row): place for place, row in enumerate(rows)}
    merged: list[_Row | None] = list(rows)
    for row in more:
        place = places.get(_name(row))
        if "=" not in row[0]:
            if place is not None:
                merged[place] = None
        elif place is not None:
            merged[place] = row
        else:
            merged.append(row)
    return [row for row in merged if row is not None]


def _unique(rows: list[_Row]) -> list[_Row]:
    """Each name once, at its first position, with its last value."""
    merged: dict[str, _Row] = {}
    for row in rows:
        merged[_name(row)] = row
    return list(merged.values())
