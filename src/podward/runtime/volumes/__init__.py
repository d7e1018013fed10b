"""A Pod's volumes: made before its containers, mounted into them, taken away at its end."""

from podward.runtime.volumes.pod import PodVolumes
from podward.runtime.volumes.removal import remove_tree
from podward.runtime.volumes.request import PreparedVolume

__all__ = ["PodVolumes", "PreparedVolume", "remove_tree"]
