"""What the Director says in Teams, for pictures and for tests that look: reports, a plan, a list, answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.commands import HELP
from bot.conversation.recorded_plan import recorded_plan
from bot.demo.fleet import write_fleet
from bot.domain import Button, Buttons, Citation, Note, Place, Reply, Table, Text
from bot.planning import Finding, Plan, StoredPlan, plan_reply
from bot.reliability import (
    Assessment,
    Reliability,
    Tables,
    digest_reply,
    load_definitions,
    review_reply,
    status_reply,
)
from bot.schedule_chat import listing
from bot.schedules import Schedule
from tests.bot.reliability.samples import assessment, measured, promise

NOW = datetime(2026, 11, 18, 10, 20, tzinfo=UTC)
HERE = Place(platform="teams", workspace="a-tenant", channel="19:payments@thread.tacv2")
HUNDRED = 100

ANSWER = """\
**checkout** has no error budget left, and at the rate of the last week it gets worse by about four per cent a day.

1. Most of it went on *17 November* between 14:00 and 15:10, when `payment-gateway` timed out
2. Since then it burns at **1.4 times** the sustainable rate

| Option | What it costs | Budget back |
| --- | --- | ---: |
| Hold releases for a week | Two launches wait | 9 days |
| Fix the retry storm first | Three days of the payments team | 4 days |
| Do nothing | Nothing now | never |

I would hold back Thursday’s release until the retry storm is fixed:

```
retries: 5 -> 2
timeout: 800 ms
```

Shall I draft a plan?"""


async def fleet(folder: Path) -> Assessment:
    write_fleet(folder, NOW)
    return await Reliability(load_definitions([folder]), {"csv": Tables()}).assess(None, NOW)


def hundred() -> Assessment:
    """A fleet of a hundred services, some of them with long names and every kind of trouble."""
    kinds = (2469.0, 1700.0, 500.0, 100.0, 1900.0)
    names = [f"service-{number:03}" for number in range(HUNDRED - 2)]
    names += ["customer-notification-preferences-synchronization", "*odd*_name<at>all</at>"]
    return assessment(
        *(
            (promise(name), measured(part=kinds[number % 5] if number < 40 else 50.0 + number))
            for number, name in enumerate(names)
        )
    )


def plan() -> Reply:
    fields = recorded_plan("Move checkout to its own database")
    made = Plan.model_validate({**fields, "source": "model", "initiative": "Move checkout to its own database"})
    stored = StoredPlan(
        id="p7",
        version=1,
        place=HERE,
        author_id="a-person",
        initiative=made.initiative,
        plan=made,
        raw=None,
        created_at=NOW,
    )
    finding = Finding(
        rule="stability.rollback",
        severity="warn",
        where="items",
        text="Nobody has said how long going back takes.",
        source="Release It!",
    )
    return plan_reply(stored, (finding,))


def schedules() -> Reply:
    def every(
        number: int, what: str, days: tuple[int, ...], services: tuple[str, ...] = (), *, paused: bool = False
    ) -> Schedule:
        return Schedule.model_validate(
            {
                "id": f"s{number}",
                "place": HERE,
                "channel_name": "payments",
                "what": what,
                "days": days,
                "time": "09:00",
                "zone": "Europe/Berlin",
                "services": services,
                "created_by": "a-person",
                "created_at": NOW,
                "active_since": NOW,
                "paused": paused,
            }
        )

    made = (
        every(1, "review", (0,)),
        every(2, "digest", (0, 1, 2, 3, 4), ("checkout", "payments")),
        every(3, "digest", (5,), paused=True),
    )
    return listing(made, NOW, here=HERE.channel)


def answer() -> Reply:
    return Reply(
        summary="checkout has no error budget left",
        parts=(
            Text(markdown=ANSWER),
            Note(markdown="Figures of our services as of 2026-11-18 10:20 UTC."),
        ),
        generated=True,
        citations=(
            Citation(title="Budget left of checkout", text="-4.2% of 28d, from sum(increase(…))"),
            Citation(title="Burn rate of checkout over 7d", text="1.4 times the sustainable rate"),
        ),
    )


def help_text() -> Reply:
    return Reply(summary="What I can do", parts=(Text(markdown=HELP),))


def odd() -> Reply:
    """Names and words full of signs that mean something to Markdown, to HTML and to Teams."""
    table = Table(
        columns=("service", "state"),
        rows=(
            ("*x*_y", "<at>Omar</at>"),
            ("[click](https://evil.example)", "1. **bold** `code`"),
            ("a\\b|c", "&lt;b&gt; # no"),
        ),
        caption="*Odd* names",
    )
    buttons = Buttons(
        buttons=(
            Button(verb="stop", label="Stop", value="t1", style="danger"),
            Button(verb="approve", label="Approve *now*", value="p1", style="primary"),
            Button(verb="later", label="Later", value="p1"),
        )
    )
    words = (
        'Said of **bold**, *italic*, ~~struck~~ and `http_requests{job="a"}`: '
        "[the runbook](https://example.com/a_b).\n> quoted\n\n- one\n  - under it\n- two"
    )
    return Reply(summary="odd", parts=(table, Text(markdown=words), buttons))


async def replies(folder: Path) -> dict[str, Reply]:
    found = await fleet(folder)
    return {
        "status": status_reply(found),
        "digest": digest_reply(found),
        "review": review_reply(found),
        "review-hundred": review_reply(hundred()),
        "plan": plan(),
        "schedules": schedules(),
        "answer": answer(),
        "help": help_text(),
        "odd": odd(),
    }
