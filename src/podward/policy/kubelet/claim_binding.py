"""Which persistent volume a claim is bound to.

Specification (kube-controller-manager, `syncUnboundClaim`, `findBestMatchForClaim`, `FindMatchingVolume` of
k8s.io/component-helpers, in our words):
- A claim with a `volumeName` is bound to that volume: if the volume's `claimRef` names the claim, or if it has none and
  satisfies the claim. A `claimRef` with another uid is another claim's.
- Without one, a volume whose `claimRef` names the claim is its own, if it is large enough, of the same volume mode, and
  has the access modes.
- Otherwise it gets the volume that is free, large enough, of the same volume mode and storage class, has all access
  modes of the claim, and fits its label selector: the one with the fewest access modes, of these the smallest. No class
  is a class of its own. A volume whose status says that it is not Available is not free.
- A volume is bound to one claim. Claims are served in the order of the input.

Ours: node affinity is not looked at, every volume is this machine's; no volume is provisioned, and no default storage
class is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from podward.api.quantity import QuantityError, parse
from podward.api.storage import CLASS_ANNOTATION, PersistentVolume, PersistentVolumeClaim, Storage
from podward.schema.label_selection import selects

FILESYSTEM = "Filesystem"
_AVAILABLE = "Available"


class Binding(Struct, frozen=True):
    """The volume that a claim is bound to; without one, why not."""

    volume: PersistentVolume | None = None
    why: str = ""


def bind(claim: PersistentVolumeClaim, storage: Storage) -> Binding:
    """What the claim is bound to, after all other claims of the input have got theirs."""
    taken: set[str] = set()
    for other in storage.claims.values():
        found = _find(other, storage.volumes, taken)
        if other is claim:
            return found
        if found.volume is not None:
            taken.add(found.volume.metadata.name or "")
    return _find(claim, storage.volumes, taken)


def _find(claim: PersistentVolumeClaim, volumes: tuple[PersistentVolume, ...], taken: set[str]) -> Binding:
    wanted = claim.spec.volume_name
    if wanted:
        return _named(claim, wanted, volumes, taken)
    faults: list[str] = []
    fitting: list[PersistentVolume] = []
    for volume in volumes:
        fault = _taken(volume, claim, taken) or _unfit(volume, claim)
        if not fault and volume.spec.claim_ref is not None:
            return Binding(volume)
        fault = fault or _not_chosen(volume, claim)
        if fault:
            faults.append(f"{volume.metadata.name}: {fault}")
        else:
            fitting.append(volume)
    if not fitting:
        return Binding(why="; ".join(faults[:3]) or "no PersistentVolume is described")
    return Binding(min(fitting, key=lambda volume: (len(volume.spec.access_modes or ()), _capacity(volume))))


def _named(claim: PersistentVolumeClaim, wanted: str, volumes: Iterable[PersistentVolume], taken: set[str]) -> Binding:
    volume = next((each for each in volumes if each.metadata.name == wanted), None)
    if volume is None:
        return Binding(why=f"PersistentVolume {wanted} is not described")
    fault = _taken(volume, claim, taken)
    if not fault and volume.spec.claim_ref is None:
        fault = _unfit(volume, claim) or _other_class(volume, claim)
    return Binding(why=f"{wanted}: {fault}") if fault else Binding(volume)


def _taken(volume: PersistentVolume, claim: PersistentVolumeClaim, taken: set[str]) -> str:
    """Whose the volume is, if it is another claim's."""
    if volume.metadata.name in taken:
        return "another claim has it"
    kept = volume.spec.claim_ref
    if kept is None:
        return ""
    own = (kept.namespace, kept.name) == (claim.metadata.namespace or "default", claim.metadata.name)
    if own and kept.uid and kept.uid != claim.metadata.uid:
        return "its claimRef has the uid of another claim"
    return "" if own else f"it is kept for claim {kept.namespace}/{kept.name}"


def _unfit(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """What keeps any claim like this from the volume, also one that it is kept for."""
    if _capacity(volume) < _units((claim.spec.resources.requests if claim.spec.resources else None) or {}):
        return "requested PV is too small"
    if (volume.spec.volume_mode or FILESYSTEM) != (claim.spec.volume_mode or FILESYSTEM):
        return "incompatible volumeMode"
    if not set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ()):
        return "incompatible accessMode"
    return ""


def _not_chosen(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """What keeps a claim from a volume that is nobody's."""
    if (volume.status.phase or _AVAILABLE) != _AVAILABLE:
        return f"its phase is {volume.status.phase}"
    if claim.spec.selector is not None and not selects(claim.spec.selector, volume.metadata.labels or {}):
        return "the claim's selector does not match its labels"
    return _other_class(volume, claim)


def _other_class(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    own, wanted = _class(volume), _class(claim)
    return "" if own == wanted else f"storageClassName does not match: {own or 'none'} is not {wanted or 'none'}"


def _class(thing: PersistentVolume | PersistentVolumeClaim) -> str:
    """The storage class: an old annotation takes precedence over the field."""
    written = (thing.metadata.annotations or {}).get(CLASS_ANNOTATION)
    return written if written is not None else thing.spec.storage_class_name or ""


def _capacity(volume: PersistentVolume) -> int:
    return _units(volume.spec.capacity or {})


def _units(amounts: Mapping[str, str | int | float]) -> int:
    try:
        return parse(str(amounts.get("storage", 0))).units
    except QuantityError:
        return 0
