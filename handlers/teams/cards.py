"""Parts of a message as elements of an Adaptive Card 1.5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

from bot.domain import Button, Buttons, Chart, Heading, Note, Part, Table, Text
from handlers.teams.prose import Block, Code, Item, Listing, Paragraph, Quote, Rule, Title, blocks
from handlers.teams.runs import BOLD, SMALL, Json, code, line, words
from handlers.teams.tables import table

ACTIONS = 6  # in a row; Teams drops what is over
_BLANK = "\xa0"
_MARKUP = frozenset("\\`*_[]<>&~#")
_STYLES = {"primary": "positive", "danger": "destructive"}


class Level(IntEnum):
    """What a card shows. A level is left for the next when Teams refuses the card."""

    PICTURES = 0
    WORDS = 1


def card(parts: Iterable[Part], summary: str, pictures: Mapping[int, str] | None = None) -> Json:
    """The card of a message. `pictures` holds the addresses of charts' pictures by their position among the parts."""
    shown = pictures or {}
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "fallbackText": summary,
        "body": [element for number, part in enumerate(parts) for element in elements(part, shown.get(number))],
    }


def elements(part: Part, picture: str | None = None) -> list[Json]:
    """The part as it stands on a card."""
    match part:
        case Heading(text=text):
            return [_heading(" ".join(text.split()))]
        case Text(markdown=markdown):
            return [element for block in blocks(markdown) for element in _block(block)]
        case Note(markdown=markdown):
            lines = [one for one in markdown.split("\n") if one.strip()]
            return [line(one, SMALL, spacing="None" if n else "Medium") for n, one in enumerate(lines)]
        case Table():
            return table(part)
        case Chart():
            return _chart(part, picture)
        case Buttons(buttons=buttons):
            rows = [buttons[n : n + ACTIONS] for n in range(0, len(buttons), ACTIONS)]
            return [{"type": "ActionSet", "actions": [_action(button) for button in row]} for row in rows]


def _heading(text: str) -> Json:
    """A heading that screen readers find; one that a TextBlock would read as Markdown stands in runs."""
    look = {"size": "Large", **BOLD}
    if not _MARKUP.isdisjoint(text) or text[:1] in ("-", "+") or text[:1].isdigit():
        return words(text, look)
    return {"type": "TextBlock", "text": text, "style": "heading", "wrap": True, **look}


def _block(block: Block) -> Iterator[Json]:
    match block:
        case Paragraph(lines=lines):
            yield from (line(one, spacing="None" if n else "Default") for n, one in enumerate(lines))
        case Title(text=text):
            yield line(text, {"size": "Medium", **BOLD}, spacing="Medium")
        case Listing(items=items):
            yield from map(_item, items)
        case Quote(lines=lines):
            yield _set_off([line(one, spacing="None") for one in lines])
        case Code(lines=lines):
            yield _set_off([code(one, spacing="None") for one in lines or ("",)])
        case Table():
            yield from table(block)
        case Rule():
            yield words("", separator=True)


def _item(item: Item) -> Json:
    mark = words(_BLANK * 4 * item.depth + (item.mark or _BLANK * 2))
    return {
        "type": "ColumnSet",
        "spacing": "Small",
        "columns": [
            {"type": "Column", "width": "auto", "items": [mark]},
            {"type": "Column", "width": "stretch", "spacing": "Small", "items": [line(item.text)]},
        ],
    }


def _set_off(items: list[Json]) -> Json:
    return {"type": "Container", "style": "emphasis", "items": items}


def _chart(chart: Chart, picture: str | None) -> list[Json]:
    if picture is None:
        return [words(chart.title, BOLD, spacing="Medium"), words(chart.alt, spacing="None")]
    image: Json = {"type": "Image", "url": picture, "altText": f"{chart.title}. {chart.alt}", "size": "Stretch"}
    return [{**image, "spacing": "Medium", "msteams": {"allowExpand": True}}]


def _action(button: Button) -> Json:
    action: Json = {"type": "Action.Execute", "title": button.label, "verb": button.verb}
    style = _STYLES.get(button.style)
    return {**action, "data": {"value": button.value}, **({"style": style} if style else {})}
