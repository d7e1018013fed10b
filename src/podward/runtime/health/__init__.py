"""What this machine can enforce: facts about it, trials on its kernel, and their consequences."""

from podward.runtime.health.check_machine import check_machine
from podward.runtime.health.health_check import LIMITED, MISSING, OK, HealthCheck

__all__ = ["LIMITED", "MISSING", "OK", "HealthCheck", "check_machine"]
