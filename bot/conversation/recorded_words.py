"""The recorded model's words: which look-up a question wants, and what to say of what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_DEFINITIONS = re.compile(r"\b(defin|promise|target|objectives?\b|what (is|are) (the|our) slos?)", re.IGNORECASE)
_RELIABILITY = re.compile(
    r"\b(budget|slos?|sli|reliab|availab|error|burn|incident|outage|healthy|health|down|status|risk|ship|freeze|"
    r"release|deploy|tell me about|how (is|are|was|were)|doing|worst|exhausted|latency)\b|\bservices?\b",
    re.IGNORECASE,
)
_PRIORITY = re.compile(r"\b(work on|priorit\w*|focus|this week|next (week|sprint)|do first)\b", re.IGNORECASE)
_FOLLOW_UP = re.compile(
    r"^\s*(and|what about|how about|why|so|it|that|then|which)\b|\b(it|its|that one|them)\b", re.IGNORECASE
)
_RECALL = re.compile(
    r"\b(remember|did i (just )?ask|i (just )?asked|we talked|what was my|(first|previous|last) question|"
    r"(said|asked) (earlier|before))\b",
    re.IGNORECASE,
)
_GREETING = re.compile(r"^\s*(hi|hello|hey|good (morning|afternoon|evening)|moin|hallo)\b", re.IGNORECASE)
_THANKS = re.compile(r"\b(thanks?|thank you|thx|cheers|great|perfect)\b", re.IGNORECASE)
_WHO = re.compile(r"\b(who are you|what are you|your (role|job)|introduce yourself)\b", re.IGNORECASE)
_HELP = re.compile(r"\b(help|what can you|how do i|commands?)\b", re.IGNORECASE)
_PLAN = re.compile(r"\b(plan|initiative|build|migrat|introduce|project|split|rewrite|replace)", re.IGNORECASE)
_ADVICE = (
    (
        re.compile(
            r"\b(add|more|hire|extra)\b.*\b(people|engineers?|developers?|hands|staff)\b|\blate\b", re.IGNORECASE
        ),
        (
            "Brooks's law says no: people added to a late project make it later, because those who know it stop to "
            "teach, and everyone has more others to agree with. I would cut scope, move the date, or take work off "
            "the team. If hands must be added, give them a piece that stands apart."
        ),
    ),
    (
        re.compile(r"\b(rewrite|second system|from scratch)\b", re.IGNORECASE),
        (
            "Careful: the second system is where everything goes that was left out of the first. I would replace it "
            "piece by piece behind the interface that it has, keep one person answerable for the design, and stop "
            "when the pain is gone."
        ),
    ),
    (
        re.compile(r"\b(timeouts?|time-outs?|circuit|bulkhead|retry|retries|cascad)", re.IGNORECASE),
        (
            "Every call that leaves a process gets a timeout, and a circuit breaker where the other side may stay "
            "slow. Keep pools apart, so that one dependency can't take all threads (a bulkhead), and retry only what"
            " is safe to repeat, with a limit and some jitter."
        ),
    ),
    (
        re.compile(r"\b(how do|what (is|are)|explain)\b.*\berror budgets?\b(?! (of|for)\b)", re.IGNORECASE),
        (
            "An objective leaves room for failure: what it does not promise is the error budget. While there is "
            "budget, we ship; when it is spent, we repair first. So features and reliability are weighed by a rule "
            "that both sides agreed on before, and not by who argues longer."
        ),
    ),
    (
        re.compile(r"\b(cap theorem|consisten|partition|replica)", re.IGNORECASE),
        (
            "While the network is split, you choose between an answer that may be old and no answer. Decide it per "
            "piece of data: a balance would rather refuse, a product list would rather be old. Then write down what "
            "readers see."
        ),
    ),
)

_CAUSES = (
    "Why it burns I can't tell from a budget alone. I would lay the hours of the burn beside the deploys and the "
    "health of its dependencies, and start with whatever changed last."
)

_NOT_FOR_GUESTS = (
    "Figures of our services are for members of this workspace, so I can't tell you those. General advice I give "
    "gladly: ask me about error budgets, timeouts, or how to plan a rewrite."
)

_ENTITY = re.compile(r"^(?P<entity>.+) \(service (?P<service>[^)]+)\): (?P<state>[A-Z_]+(?: \(in doubt\))?)$")
_PROMISE = re.compile(r"^(?P<service>[^,]+), (?P<slo>[^,]+), objective (?P<name>.+)$")
_FACT = re.compile(r"^  (?P<id>\{\{f\d+\}\}) = (?P<text>.+?) \((?P<meaning>.+)\)$")


@dataclass
class _Entry:
    """One objective as a look-up listed it; `facts` are placeholders by meaning."""

    entity: str
    service: str
    state: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    def fact(self, meaning: str) -> str | None:
        return next((mark for known, mark in self.facts.items() if known.startswith(meaning)), None)

    def fact_of(self, burn: int, what: str) -> str | None:
        found = (
            mark for known, mark in self.facts.items() if known.startswith(f"burn {burn},") and known.endswith(what)
        )
        return next(found, None)


def wants(asked: Sequence[str]) -> str | None:
    """The name of the look-up that the last question needs, if any."""
    if not asked:
        return None
    now = asked[-1]
    if any(pattern.search(now) for pattern, _ in _ADVICE) or _RECALL.search(now) or _WHO.search(now):
        return None
    if _PLAN.search(now) and not _RELIABILITY.search(now):
        return None
    if _DEFINITIONS.search(now) and not re.search(r"\bbudget|burn|left\b", now, re.IGNORECASE):
        return "slo_definitions"
    if (
        _RELIABILITY.search(now)
        or _PRIORITY.search(now)
        or (_FOLLOW_UP.search(now) and any(map(_RELIABILITY.search, asked[:-1])))
    ):
        return "error_budget_status"
    return None


def answer_to(asked: Sequence[str]) -> str:
    """Words for a question that needs no look-up."""
    now = asked[-1] if asked else ""
    earlier = [question for question in asked[:-1] if question]
    if _RECALL.search(now):
        return _recalled(now, earlier)
    for pattern, words in _ADVICE:
        if pattern.search(now):
            return words
    if _WHO.search(now):
        return (
            "I'm the Director of Backend Engineering, agent **061**: I answer for the server-side logic, the APIs and "
            "the databases. I plan initiatives with you, watch the error budgets, hand work to the senior engineer, "
            "and escalate to the VP of Engineering or the principal architect when a decision is theirs."
        )
    if _PLAN.search(now):
        return (
            "Gladly. Describe the initiative with `/director plan …`, and I break it down, assign it, set its "
            "objectives, and merge all of it into one project plan."
        )
    if _HELP.search(now):
        return (
            "Ask me how a service is doing, or what is at risk. I also do:\n\n"
            "- `/director status`, `/director review`, `/director digest`: error budgets, measured now\n"
            "- `/director plan …`: a project plan for an initiative\n"
            "- `/director schedule review every monday 09:00`: the review, every week by itself"
        )
    if _GREETING.search(now):
        return "Hello! Ask me how our services are doing, or describe something that you want to build."
    if _THANKS.search(now):
        return "You're welcome. I'm here in the engine room."
    about = f" Before, you asked: “{_short(earlier[-1])}”" if earlier else ""
    return (
        f"You ask: “{_short(now)}” My words are recorded in this demo, so I can't think about it freely.{about} "
        "What I do for real: look up error budgets (ask how a service is doing) and plan (`/director plan …`)."
    )


def _recalled(now: str, earlier: Sequence[str]) -> str:
    if not earlier:
        return "This is the first thing you ask me in this thread; I remember each thread from its beginning."
    if re.search(r"\bfirst\b", now, re.IGNORECASE):
        return f"The first thing that you asked me in this thread was: “{_short(earlier[0])}”"
    return f"In this thread you asked me before: “{_short(earlier[-1])}” Ask on, and I look at it as it stands now."


def about_services(asked: Sequence[str], found: str) -> str:
    """Words for measured budgets, every figure a placeholder."""
    entries = _entries(found)
    if found.startswith("NotPermitted"):
        return _NOT_FOR_GUESTS
    if not entries:
        return f"I looked, but found no figures. {found.splitlines()[0]}"
    services = tuple(dict.fromkeys(entry.service for entry in entries))
    named, earlier = _named(asked, services)
    chosen = [entry for entry in entries if entry.service in named]
    if not chosen:
        order = "My order: repair what is spent, then calm what is at risk, then features.\n\n"
        return (order if _PRIORITY.search(asked[-1]) else "") + _overall(entries)
    intro = f"You asked about {_listed(named)}; this is how it stands now. " if earlier else ""
    why = re.search(r"\b(why|cause|reason)\b", asked[-1], re.IGNORECASE) is not None
    said = [_objective(entry) + (_burns(entry) if why else "") for entry in chosen]
    return intro + "\n\n".join([*said, _CAUSES] if why else said)


def about_definitions(asked: Sequence[str], found: str) -> str:
    """Words for what is promised."""
    entries = _entries(found)
    if not entries:
        return "No objectives are defined yet. Put OpenSLO files into a folder and set `DIRECTOR_SLOS` to it."
    named, _ = _named(asked, tuple(dict.fromkeys(entry.service for entry in entries)))
    chosen = [entry for entry in entries if entry.service in named] or entries
    lines = [
        f"- **{entry.entity}**: {entry.fact('target') or entry.fact('objective')} over {entry.fact('window')}"
        for entry in chosen
    ]
    return "\n".join(["This is what we promise:", "", *lines])


def _overall(entries: Sequence[_Entry]) -> str:
    bad = [entry for entry in entries if entry.state in ("EXHAUSTED", "AT_RISK")]
    unknown = [entry for entry in entries if entry.state not in ("EXHAUSTED", "AT_RISK", "OK")]
    fine = [entry.service for entry in entries if entry.state == "OK"]
    lines = [_objective(entry) for entry in bad]
    if not bad:
        lines.append("No error budget is spent or at risk.")
    if fine:
        lines.append(f"In order: {_listed(tuple(dict.fromkeys(fine)))}.")
    if unknown:
        names = _listed(tuple(dict.fromkeys(entry.service for entry in unknown)))
        lines.append(f"Not to be judged at the moment: {names}. `/director status` says why.")
    return "\n\n".join(lines)


def _objective(entry: _Entry) -> str:
    left, used, burn = (
        entry.fact(what) for what in ("error budget left", "error budget used", "burn rate of the last 24h")
    )
    gone, back = (entry.fact(f"estimate: when the error budget is {what}") for what in ("gone", "above zero again"))
    name = f"**{entry.entity}**"
    burning = f" In the last day it burned at {burn} the rate that the budget allows." if burn else ""
    match entry.state:
        case "EXHAUSTED":
            much = f"{used} of it is used" if used else f"{left} is left"
            return (
                f"{name} has spent its error budget: {much}.{burning} By our rule that means repair before features, "
                f"until the budget is back{f': by {back} if the last 7 days go on so' if back else ''}."
            )
        case "AT_RISK":
            ending = f" If the last 7 days go on so, it is gone by {gone}." if gone else ""
            return (
                f"{name} is at risk: {left} of its error budget is left.{burning}{ending} I would hold risky releases "
                "and look at what burns it first."
            )
        case "OK":
            return f"{name} is in order: {left} of its error budget is left.{burning} You can ship."
    state = entry.fact("state of the error budget")
    return f"{name} can't be judged now{f': {state}' if state else ''}. `/director status {entry.service}` says why."


def _burns(entry: _Entry) -> str:
    """When the largest burns were and what they cost."""
    burns = [
        (entry.fact_of(number, "when it was"), entry.fact_of(number, "error budget it cost")) for number in (1, 2, 3)
    ]
    lines = [f"- {when}: {cost} of the budget" for when, cost in burns if when and cost]
    return "\n\n".join(["", "It went here:", "\n".join(lines)]) if lines else ""


def _entries(found: str) -> list[_Entry]:
    entries: list[_Entry] = []
    for line in found.splitlines():
        if match := _ENTITY.match(line):
            entries.append(_Entry(match["entity"], match["service"], match["state"]))
        elif match := _PROMISE.match(line):
            entries.append(_Entry(f"{match['service']} ({match['name']})", match["service"]))
        elif entries and (match := _FACT.match(line)):
            entries[-1].facts[match["meaning"]] = match["id"]
    services = [entry.service for entry in entries]
    for entry in entries:
        if services.count(entry.service) == 1:
            entry.entity = entry.service
    return entries


def _named(asked: Sequence[str], services: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The services that the question names, else those that the latest earlier one named (and that it was so)."""
    for age, question in enumerate(reversed(asked)):
        if age and not _FOLLOW_UP.search(asked[-1]):
            break
        named = tuple(name for name in services if _stands(name, question))
        if named:
            return named, age > 0
    return (), False


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:159].rstrip() + "…"
