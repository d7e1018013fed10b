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

from collections.abc import Iterable

from msgspec import Struct

from podward.api.storage import PersistentVolume, PersistentVolumeClaim, Storage
from podward.schema.volume_matching import not_chosen, other_class, preference, unfit


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
        fault = _taken(volume, claim, taken) or unfit(volume, claim)
        if not fault and volume.spec.claim_ref is not None:
            return Binding(volume)
        fault = fault or not_chosen(volume, claim)
        if fault:
            faults.append(f"{volume.metadata.name}: {fault}")
        else:
            fitting.append(volume)
    if not fitting:
        return Binding(why="; ".join(faults[:3]) or "no PersistentVolume is described")
    return Binding(min(fitting, key=preference))


def _named(claim: PersistentVolumeClaim, wanted: str, volumes: Iterable[PersistentVolume], taken: set[str]) -> Binding:
    volume = next((each for each in volumes if each.metadata.name == wanted), None)
    if volume is None:
        return Binding(why=f"PersistentVolume {wanted} is not described")
    fault = _taken(volume, claim, taken)
    if not fault and volume.spec.claim_ref is None:
        fault = unfit(volume, claim) or other_class(volume, claim)
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
