"""YAML bodies, with the words that the server has for what is wrong with one.

Specification: sigs.k8s.io/yaml on go-yaml, whose parser is libyaml's: its problem, with the line before it where that
is not the first; a scanner's line is one more. Only the first document counts. A key that stands twice counts last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.parsed_value import MAX_DEPTH, LimitExceededError, ParseError
from podward.documents.yaml.composer import compose
from podward.documents.yaml.libyaml import MarkedYAMLError, YAMLError

if TYPE_CHECKING:
    from podward.api.json_value import Json


class YamlBodyError(ValueError):
    """The body is no YAML; the message is the server's."""


def read_yaml_body(body: bytes, deepest: int = MAX_DEPTH) -> tuple[Json, list[tuple[str, int]]]:
    """The value, and keys that stand twice, each with the line of its second place. Raises YamlBodyError."""
    twice: list[tuple[str, int]] = []
    try:
        parsed = compose(body, 1, "", twice, deepest=deepest)
    except MarkedYAMLError as error:
        raise YamlBodyError(_go_words(error)) from None
    except LimitExceededError as error:
        deep = error.what.startswith("nested")
        what = f"line {error.line}: exceeded max depth of {deepest}" if deep else error.what
        raise YamlBodyError(f"yaml: {what}") from None
    except ParseError as error:
        raise YamlBodyError(f"yaml: {error.what.removeprefix('invalid YAML: ')}") from None
    except (YAMLError, UnicodeDecodeError):
        raise YamlBodyError("yaml: control characters are not allowed") from None
    return None if parsed is None else parsed.value, twice


def _go_words(error: MarkedYAMLError) -> str:
    line = 0
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            line = mark.line + (1 if type(error).__name__ == "ScannerError" else 0)
            break
    return f"yaml: {f'line {line}: ' if line else ''}{error.problem or 'unknown problem parsing YAML content'}"
