"""Who the Director is: agent cards as Markdown, read and checked, and the prompt made from one."""

from bot.persona.card import Card, CardError, Related, Research, builtin_cards, check_card, load_card
from bot.persona.prompt import system_prompt

__all__ = [
    "Card",
    "CardError",
    "Related",
    "Research",
    "builtin_cards",
    "check_card",
    "load_card",
    "system_prompt",
]
