"""What this machine can enforce: facts, trials on the real kernel, and what follows from them."""

from podward.runtime.health.check import LIMITED, MISSING, OK, Check
from podward.runtime.health.examine import examine

__all__ = ["LIMITED", "MISSING", "OK", "Check", "examine"]
