"""A Slack workspace on this machine: the demo's workspace and the tests' wire."""

from handlers.slack.standin.config import Channel, Command, StandinConfig, User
from handlers.slack.standin.courier import Receipt
from handlers.slack.standin.faults import Faults
from handlers.slack.standin.ledger import Call, Handed, Ledger
from handlers.slack.standin.messages import Change, Message
from handlers.slack.standin.people import CannotDo, CommandResult, ViewResult
from handlers.slack.standin.server import NotLoopback, Standin

__all__ = [
    "Call",
    "CannotDo",
    "Change",
    "Channel",
    "Command",
    "CommandResult",
    "Faults",
    "Handed",
    "Ledger",
    "Message",
    "NotLoopback",
    "Receipt",
    "Standin",
    "StandinConfig",
    "User",
    "ViewResult",
]
