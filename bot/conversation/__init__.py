"""One turn with the model: what was said, look-ups, facts for figures, the gate; and the plain facts without it.

`anthropic.py` is the only module that knows the SDK, `recorded.py` stands in for it where there is no key.
"""

from bot.conversation.breaker import Circuit, Guarded
from bot.conversation.clean import Links
from bot.conversation.conversation import Conversation
from bot.conversation.fallback import Fallback
from bot.conversation.lookups import ErrorBudgetStatus, SloDefinitions
from bot.conversation.loop import TurnLimits
from bot.conversation.model import (
    Fault,
    Model,
    ModelEvent,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    TextDelta,
    ToolSpec,
    ToolStarted,
    Whole,
    whole,
)
from bot.conversation.talks import Talks
from bot.conversation.tools import Toolbox
from bot.conversation.words import Question

__all__ = [
    "Circuit",
    "Conversation",
    "ErrorBudgetStatus",
    "Fallback",
    "Fault",
    "Guarded",
    "Links",
    "Model",
    "ModelEvent",
    "ModelRefused",
    "ModelRequest",
    "ModelUnavailable",
    "Question",
    "SloDefinitions",
    "Talks",
    "TextDelta",
    "ToolSpec",
    "ToolStarted",
    "Toolbox",
    "TurnLimits",
    "Whole",
    "whole",
]
