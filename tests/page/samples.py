"""What the Director might post: a review, a plan, a streamed answer; and every kind of block at once."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def series(name: str, labels: list[str], values: list[float | None]) -> Json:
    points = zip(labels, values, strict=True)
    return {"name": name, "data": [{"label": label, "value": value} for label, value in points if value is not None]}


def chart(form: str, title: str, labels: list[str], *lines: tuple[str, list[float | None]], y: str = "") -> Json:
    axes: Json = {"categories": labels}
    if y:
        axes["y_label"] = y
    made = {"type": form, "series": [series(name, labels, values) for name, values in lines], "axis_config": axes}
    return {"type": "data_visualization", "title": title, "chart": made}


WEEKS = ["26 Oct", "30 Oct", "3 Nov", "7 Nov", "11 Nov", "15 Nov", "19 Nov", "22 Nov"]

BUDGETS = chart(
    "line",
    "Error budget left",
    WEEKS,
    ("checkout", [96.0, 91.5, 84.0, 41.2, 37.9, 30.3, 22.0, 18.4]),
    ("payments", [99.0, 98.1, 97.7, 95.0, 94.2, 93.8, 93.1, 92.6]),
    ("search", [70.2, 52.0, 31.4, 12.9, -4.1, -9.8, -11.6, -12.3]),
    y="% of 28 days",
)

TABLE: Json = {
    "type": "table",
    "column_settings": [{}, {}, {"align": "right"}, {"align": "right"}, {"align": "right"}],
    "rows": [
        [raw("Service"), raw("State"), raw("Target"), raw("SLI"), raw("Budget left")],
        [raw("checkout"), raw("AT_RISK"), raw("99.9 %"), raw("99.918 %"), raw("18.4 %")],
        [raw("payments"), raw("OK"), raw("99.95 %"), raw("99.996 %"), raw("92.6 %")],
        [raw("search"), raw("EXHAUSTED"), raw("99.5 %"), raw("99.438 %"), raw("-12.3 %")],
        [raw("notifications"), raw("NO_DATA"), raw("99 %"), raw("no figure"), raw("no figure")],
    ],
}

REVIEW: list[Json] = [
    {"type": "header", "text": plain("Weekly reliability review")},
    {
        "type": "markdown",
        "text": "Two of four services need a decision this week.\n\n"
        "- **search** has spent its budget: by the agreed policy only reliability work ships until it recovers\n"
        "- **checkout** lost half of its budget on 6 November and burns at 1.4 times the sustainable rate\n"
        "- **payments** is well; **notifications** sent no metrics since Thursday, so nothing can be said about it",
    },
    TABLE,
    BUDGETS,
    {
        "type": "context",
        "elements": [
            mrkdwn("28 days to 22 Nov 2026, 09:00 UTC · Prometheus at `metrics.harbour.example` · 4 objectives")
        ],
    },
    {
        "type": "actions",
        "block_id": "review",
        "elements": [
            {
                "type": "button",
                "action_id": "acknowledge",
                "text": plain("Acknowledge"),
                "style": "primary",
                "value": "review-47",
            },
            {"type": "button", "action_id": "details", "text": plain("Show queries"), "value": "review-47"},
            {
                "type": "button",
                "action_id": "freeze",
                "text": plain("Freeze search"),
                "style": "danger",
                "value": "search",
                "confirm": {
                    "title": plain("Freeze search?"),
                    "text": mrkdwn("Only *reliability work* ships until the budget recovers."),
                    "confirm": plain("Freeze"),
                    "deny": plain("Not now"),
                    "style": "danger",
                },
            },
        ],
    },
]

PLAN: list[Json] = [
    {"type": "header", "text": plain("Plan: refunds in a service of their own")},
    {
        "type": "markdown",
        "text": "### Technical breakdown\n"
        "1. **Outbox in the monolith** – refund events leave in the order they were committed\n"
        "2. **refund-service** on PostgreSQL, idempotent by refund id\n"
        "   - timeouts of 800 ms towards the bank, circuit breaker per bank\n"
        "   - bulkhead: its own pool, so a slow bank can’t hold checkout\n"
        "3. **Shadow run** for two weeks, compared hourly\n\n"
        "### Service levels\n"
        "| Indicator | Objective | Window |\n|---|---:|---:|\n"
        "| refunds accepted | 99.9 % | 28 days |\n| refund latency under 2 s | 99 % | 28 days |\n\n"
        "> Adding people late makes it later: the team of three stays as it is. — after Brooks\n",
    },
    {
        "type": "section",
        "fields": [
            mrkdwn("*Lead*\n<@U0OMAR>"),
            mrkdwn("*Delegated to*\n062 backend senior engineer"),
            mrkdwn("*Likely end*\n12 Feb 2027 (80 %)"),
            mrkdwn("*Findings*\n:warning: 1 to look at"),
        ],
    },
]

ANSWER = (
    "**checkout** has **18.4 %** of its error budget left, and at the rate of the last week it is spent in about "
    "five days.\n\n"
    "1. Most of it went on *6 November* between 14:00 and 15:10, when `payment-gateway` timed out\n"
    "2. Since then it burns at 1.4 times the sustainable rate\n\n"
    "I would hold back Thursday’s release until the retry storm is fixed. Shall I draft a plan?"
)


MARKDOWN = "## Two\n\n- [x] done\n- [ ] open\n\n~~gone~~ **bold** *italic*\n\n```py\nx = 1\n```"


def every_block() -> list[Json]:
    """One block of every kind that the page draws, and one that it doesn't know."""
    option = {"text": plain("First choice"), "value": "first"}
    other = {"text": plain("Second choice"), "value": "second"}
    task = {"type": "task_card", "task_id": "t1", "title": "Look up budgets", "status": "in_progress"}
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": "figures of 28 days"}]}
    return [
        {
            "type": "section",
            "text": mrkdwn("A *section* with <https://example.com/doc|a link> & `code`"),
            "accessory": {"type": "button", "action_id": "side", "text": plain("Beside"), "value": "v"},
        },
        {
            "type": "section",
            "text": plain("Plain with :rocket: and *no bold*"),
            "accessory": {
                "type": "static_select",
                "action_id": "pick",
                "placeholder": plain("Pick one"),
                "options": [option, other],
            },
        },
        {"type": "section", "fields": [mrkdwn("*One*"), mrkdwn("_Two_")]},
        {"type": "header", "text": plain("A header")},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("small print for <@U0MAYA>"), plain("and plain")]},
        {
            "type": "markdown",
            "text": "## Two\n\n- [x] done\n- [ ] open\n\n~~gone~~ **bold** *italic*\n\n```py\nx = 1\n```",
        },
        TABLE,
        {"type": "image", "alt_text": "One pixel", "slack_file": {"id": "F1"}, "title": plain("A picture")},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "go", "text": plain("Go"), "style": "primary", "value": "1"},
                {"type": "overflow", "action_id": "more", "options": [option, other]},
                {"type": "datepicker", "action_id": "day", "placeholder": plain("Day")},
            ],
        },
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "Rich ", "style": {"bold": True}},
                        {"type": "user", "user_id": "U0OMAR"},
                        {"type": "emoji", "name": "tada", "unicode": "1f389"},
                        {"type": "link", "url": "https://example.com/", "text": "there"},
                    ],
                },
                {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [words]},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted"}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "pre  formatted"}]},
            ],
        },
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": "feedback",
                    "positive_button": {"text": plain("👍"), "value": "good", "accessibility_label": "Good answer"},
                    "negative_button": {"text": plain("👎"), "value": "bad", "accessibility_label": "Bad answer"},
                },
                {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "delete", "value": "x"},
            ],
        },
        BUDGETS,
        chart("bar", "Bad events", ["Mon", "Tue", "Wed"], ("checkout", [12, None, 3]), ("search", [-4, 9, 0])),
        chart("area", "Requests", ["Mon", "Tue", "Wed"], ("all", [120, 180, 90])),
        {
            "type": "data_visualization",
            "title": "Where the budget went",
            "chart": {
                "type": "pie",
                "segments": [
                    {"label": "gateway", "value": 61},
                    {"label": "deploys", "value": 27},
                    {"label": "rest", "value": 12},
                ],
            },
        },
        {
            **task,
            "details": {"type": "rich_text", "elements": [words]},
            "sources": [{"type": "url", "url": "https://example.com/q", "text": "query"}],
        },
        {"type": "plan", "title": "Steps", "tasks": [{**task, "task_id": "t2", "status": "complete"}]},
        {"type": "carousel", "elements": []},
    ]
