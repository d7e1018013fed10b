"""What a container runtime answers to a call that it does not carry out: a gRPC code and a sentence."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class CriCode(Enum):
    """The codes of gRPC that a runtime answers with; the values are gRPC's own names."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNKNOWN = "UNKNOWN"


class CriRefusal(Struct, frozen=True, tag="refused"):
    """Why a call is not carried out; `message` says what is wrong and what to do."""

    code: CriCode
    message: str

    @property
    def as_error(self) -> str:
        """The words of a client of gRPC in Go: `rpc error: code = NotFound desc = …`."""
        name = "".join(word.capitalize() for word in self.code.value.split("_"))
        return f"rpc error: code = {name} desc = {self.message}"
