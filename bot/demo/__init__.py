"""The sample company of the demo: invented services, people and events."""

from bot.demo.company import WORKSPACE, environment, write_company
from bot.demo.guide import CHANNEL, COLLEAGUE, NOT_INSTALLED, SUGGESTIONS, guide, notice

__all__ = [
    "CHANNEL",
    "COLLEAGUE",
    "NOT_INSTALLED",
    "SUGGESTIONS",
    "WORKSPACE",
    "environment",
    "guide",
    "notice",
    "write_company",
]
