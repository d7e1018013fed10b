"""A rule of a schema, compiled: whether it fits the schema, whether it speaks of what was before, what it may cost.

Specification: apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from podward.api.json_value import JsonObject
from podward.schema.cel.amounts import Amount
from podward.schema.cel.checking import Checked
from podward.schema.cel.costs import cost_of
from podward.schema.cel.syntax import Unreadable, read
from podward.schema.cel.types import BOOL, STRING, Type, optional_of
from podward.schema.cel.wrapping import wrapped
from podward.schema.custom_objects.rule_types import LONGEST_REQUEST, Declared, size_on, structures
from podward.schema.validation.raw import text


class CompiledRule(Struct, frozen=True):
    """What is known of a rule. `fault` and `message_fault` say why an expression is none."""

    fault: str = ""
    message_fault: str = ""
    cost: int = 0
    message_cost: int = 0
    has_message: bool = False
    of_changes: bool = False


class Types:
    """The types that the rules of one value see."""

    def __init__(self, of: Declared) -> None:
        self.of = of
        self.most_values = LONGEST_REQUEST // (of.least + 1)
        """How many values of this type a request has room for."""
        self._fields = structures(of)

    def evaluated(self, expression: str, rule: JsonObject) -> str:
        """An expression of a rule with its times as the evaluation has them; itself where something is wrong."""
        checked = self._checked(expression, self._variables(rule))
        return expression if isinstance(checked, str) else wrapped(checked)

    def _variables(self, rule: JsonObject) -> dict[str, Type]:
        old = optional_of(self.of.type) if rule.get("optionalOldSelf") is True else self.of.type
        return {"self": self.of.type, "oldSelf": old}

    def compiled(self, rule: JsonObject) -> CompiledRule:
        """The rule, which has an expression."""
        known = self._variables(rule)
        checked = self._checked(text(rule, "rule"), known)
        if isinstance(checked, str):
            return CompiledRule(f"compilation failed: {checked}")
        if checked.yields != BOOL:
            return CompiledRule("cel expression must evaluate to a bool")
        made = CompiledRule(cost=self._cost(checked), of_changes="oldSelf" in checked.names)
        told = text(rule, "messageExpression")
        if not told:
            return made
        message = self._checked(told, known)
        if isinstance(message, str):
            return replace(made, message_fault=f"messageExpression compilation failed: {message}")
        if message.yields != STRING:
            return replace(made, message_fault="messageExpression must evaluate to a string")
        return replace(made, message_cost=self._cost(message), has_message=True)

    def _checked(self, expression: str, known: dict[str, Type]) -> Checked | str:
        tree = read(expression)
        if isinstance(tree, Unreadable):
            return tree.reason
        checked = Checked(tree, known, self._fields)
        return checked.errors or checked

    def _cost(self, checked: Checked) -> int:
        def size_of(way: tuple[str, ...]) -> Amount | None:
            return size_on(self.of, way)

        return cost_of(checked, size_of).most
