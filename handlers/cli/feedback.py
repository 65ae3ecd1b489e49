"""`director feedback`: whether people found the answers helpful."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli.session import begin, run_async, show_json, show_reply

if TYPE_CHECKING:
    from bot.domain import Reply
    from bot.feedback import Feedback


def register(app: typer.Typer) -> None:
    app.command("feedback")(feedback)


def feedback(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """Show what people said of answers, newest first; the last word of each person on each message."""

    async def work() -> list[Feedback]:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            return list(await store.feedback.latest(workspace=None, limit=limit))

    said = run_async(work())
    if json:
        show_json([_row(one) for one in said])
    else:
        show_reply(_listing(said))
    return 0


def _row(said: Feedback) -> dict[str, str | None]:
    return {
        "at": _time(said),
        "rating": said.rating,
        "person": said.person_id,
        "place": said.place.key,
        "message": said.message_id,
        "words": said.words,
    }


def _listing(said: list[Feedback]) -> Reply:
    from bot.domain import Reply, Table, Text

    if not said:
        return Reply(summary="No feedback", parts=(Text(markdown="Nobody has said yet whether an answer helped."),))
    rows = tuple(
        (_time(one), one.rating, one.person_id, one.place.key, one.message_id or "", one.words) for one in said
    )
    columns = ("at", "rating", "person", "place", "message", "words")
    return Reply(summary="Feedback", parts=(Table(columns=columns, rows=rows),))


def _time(said: Feedback) -> str:
    from datetime import UTC

    return said.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
