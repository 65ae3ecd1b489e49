"""From an initiative to a project plan: its schema, its rules, and how it is drafted, kept and shown."""

from bot.planning.chat import PlanChat, UnknownPlan
from bot.planning.context import KnownSlo, Surroundings
from bot.planning.drafting import Draft, Planning
from bot.planning.findings import Finding, check
from bot.planning.plan import Plan, plan_schema
from bot.planning.reply import overview_reply, plan_reply
from bot.planning.store import PlanStore, StoredPlan

__all__ = [
    "Draft",
    "Finding",
    "KnownSlo",
    "Plan",
    "PlanChat",
    "PlanStore",
    "Planning",
    "StoredPlan",
    "Surroundings",
    "UnknownPlan",
    "check",
    "overview_reply",
    "plan_reply",
    "plan_schema",
]
