"""The sample company of the demo: invented services, people and events."""

from bot.demo.company import WORKSPACE, write_company
from bot.demo.guide import CHANNEL, COLLEAGUE, SUGGESTIONS, guide, notice

__all__ = ["CHANNEL", "COLLEAGUE", "SUGGESTIONS", "WORKSPACE", "guide", "notice", "write_company"]
