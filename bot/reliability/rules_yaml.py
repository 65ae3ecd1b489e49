"""The text of a Prometheus rule file, with comments for whoever opens it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.reliability.rules import Group, Rule, Rules, quoted

_HEAD = """\
# Prometheus rules, written by `director slo rules` from OpenSLO files: change those, and write this anew.
# Events are counted (good, bad, all), never averaged. To check it: promtool check rules FILE
groups:
"""


def rules_yaml(rules: Rules) -> str:
    """The file; the same rules give the same text. Written by hand: a YAML library takes ten times as long."""
    return _HEAD + "\n".join("\n".join(_group(group)) + "\n" for group in rules.groups)


def _group(group: Group) -> Iterator[str]:
    for comment in group.comments:
        yield "  # " + "".join(char if char.isprintable() else " " for char in comment)
    yield f"  - name: {quoted(group.name)}"
    yield "    rules:"
    for rule in group.rules:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"      - {rule.kind}: {rule.name}"
    lines = rule.expr.split("\n")
    if all(line.isprintable() for line in lines):
        yield "        expr: |"
        yield from (f"          {line}" for line in lines)
    else:
        yield f"        expr: {quoted(rule.expr)}"
    yield from _mapping("labels", rule.labels)
    if rule.annotations:
        yield from _mapping("annotations", rule.annotations)


def _mapping(name: str, values: Mapping[str, str]) -> Iterator[str]:
    """Values in quotes, so that no reader takes one for a number or a truth."""
    yield f"        {name}:"
    yield from (f"          {key}: {quoted(value)}" for key, value in values.items())
