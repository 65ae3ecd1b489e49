"""Reliability: promises from OpenSLO files, events from metrics, budgets and states, and what people read of them."""

from bot.reliability.assessment import Assessment, Objective, State
from bot.reliability.definitions import DefinitionError, Definitions, ObjectiveDefinition, ServiceDefinition
from bot.reliability.facts import facts
from bot.reliability.openslo import check, load_definitions
from bot.reliability.prometheus import Prometheus
from bot.reliability.reliability import Reliability, UnknownService
from bot.reliability.review import digest_reply, review_reply, status_reply
from bot.reliability.table import Tables

__all__ = [
    "Assessment",
    "DefinitionError",
    "Definitions",
    "Objective",
    "ObjectiveDefinition",
    "Prometheus",
    "Reliability",
    "ServiceDefinition",
    "State",
    "Tables",
    "UnknownService",
    "check",
    "digest_reply",
    "facts",
    "load_definitions",
    "review_reply",
    "status_reply",
]
