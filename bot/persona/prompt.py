"""The frozen system prompt: an agent's card and the rules of the house. The same card always gives the same bytes."""

from __future__ import annotations

from importlib import resources

from bot.persona.card import Card

_RULES = "house-rules.md"


def system_prompt(card: Card, *, workspace: str = "") -> str:
    """The prompt for one agent. Nothing that changes between turns may go in here."""
    where = f"You work at {workspace}.\n\n" if workspace else ""
    next_agents = "\n".join(_related(related.name, related.reason) for related in card.next_agents)
    escalate_to = "\n".join(_related(related.name, related.reason) for related in card.escalate_to)
    rules = (resources.files(__package__) / _RULES).read_text(encoding="utf-8")
    return f"""\
{card.opening}

{where}You are agent {card.agent_id}, {card.role}, department {card.department}.
Your specialization: {card.specialization}.

# What your judgement stands on
{_bullets(card.research.primary + card.research.supporting + card.research.modern)}

# Your responsibilities
{_bullets(card.responsibilities)}

# How work flows
{card.workflow}

You hand over to:
{next_agents}

You escalate to:
{escalate_to}

{card.closing}

{rules}"""


def _related(name: str, reason: str) -> str:
    return f"- {name}: {reason}" if reason else f"- {name}"


def _bullets(entries: tuple[str, ...]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)
