"""`director inbox`: turns on their way from asked to answered, for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import UsageError
from handlers.cli.session import begin, run_async, show, show_json, show_reply, tell

if TYPE_CHECKING:
    from bot.domain import Reply
    from bot.ports import TurnRecord

group = typer.Typer(help="Look at turns, and take parked ones up again.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A turn's id, as `inbox list` prints it.")]


@group.command("list")
def list_turns(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only new, running, answered, done or parked ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    json: Json = False,
) -> int:
    """List turns, newest first."""
    from bot.ports import TurnState

    chosen = None
    if state is not None:
        try:
            chosen = TurnState(state.lower())
        except ValueError:
            raise UsageError(f"There is no state {state!r}; there are {', '.join(TurnState)}.") from None

    async def work() -> list[TurnRecord]:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            return list(await store.inbox.turns(state=chosen, limit=limit))

    turns = run_async(work())
    if json:
        show_json([_row(turn) for turn in turns])
        return 0
    show_reply(_listing(turns))
    return 0


@group.command("show")
def show_turn(context: typer.Context, turn_id: Id, json: Json = False) -> int:
    """Show one turn: what was asked, what became of it, the answer."""

    async def work() -> TurnRecord:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            turn = await store.inbox.turn(turn_id)
        if turn is None:
            raise UsageError(f"There is no turn {turn_id!r}; `director inbox list` shows them.")
        return turn

    turn = run_async(work())
    if json:
        show_json(_row(turn) | {"answer": turn.answer.model_dump(mode="json") if turn.answer else None})
        return 0
    for name, value in _row(turn).items():
        show(f"{name + ':':<13} {'' if value is None else value}")
    if turn.answer is not None:
        show("")
        show_reply(turn.answer.reply)
    return 0


@group.command("retry")
def retry(context: typer.Context, turn_id: Id) -> int:
    """Take a parked turn up again."""

    async def work() -> None:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            if await store.inbox.retry(turn_id):
                return
            turn = await store.inbox.turn(turn_id)
        if turn is None:
            raise UsageError(f"There is no turn {turn_id!r}; `director inbox list --state parked` shows parked ones.")
        raise UsageError(f"Turn {turn_id} is {turn.state.value}; only a parked turn can be taken up again.")

    run_async(work())
    tell(f"Turn {turn_id} is taken up again as soon as the Director runs.")
    return 0


def _row(turn: TurnRecord) -> dict[str, Any]:
    incoming = turn.incoming
    return {
        "id": turn.turn_id,
        "state": turn.state.value,
        "kind": incoming.kind.value,
        "place": incoming.place.key,
        "speaker": incoming.speaker_id,
        "text": incoming.text,
        "attempts": turn.attempts,
        "deaths": turn.deaths,
        "reason": turn.reason,
        "created_at": _time(turn.created_at),
        "updated_at": _time(turn.updated_at),
    }


def _listing(turns: list[TurnRecord]) -> Reply:
    from bot.domain import Reply, Table, Text

    if not turns:
        return Reply(summary="No turns", parts=(Text(markdown="There are no such turns."),))
    rows = tuple(
        (
            turn.turn_id,
            turn.state.value,
            turn.incoming.kind.value,
            turn.incoming.place.key,
            str(turn.attempts),
            _time(turn.created_at),
            turn.reason or "",
        )
        for turn in turns
    )
    columns = ("id", "state", "kind", "place", "attempts", "created", "reason")
    return Reply(summary="Turns", parts=(Table(columns=columns, rows=rows, numeric=(4,)),))


def _time(moment: Any) -> str:
    from datetime import UTC

    return str(moment.astimezone(UTC).isoformat(timespec="seconds")).replace("+00:00", "Z")
