"""`director status`, `review` and `digest`: what the metrics say now or at another time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.errors import UsageError
from handlers.cli.moments import parse_at
from handlers.cli.session import begin, memory, run_async, show_json, show_reply, tell

if TYPE_CHECKING:
    from bot.domain import Reply
    from bot.reliability import Assessment

Report = Literal["status", "review", "digest"]

At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Judge at this past time, RFC 3339 with offset.")]
Services = Annotated[
    list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service; may be repeated.")
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON list, one item per objective.")]
Text = Annotated[bool, typer.Option("--text", help="Print text (the default).")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page. Not in this version yet.")]
Post = Annotated[str | None, typer.Option("--post", metavar="CHANNEL", help="Post it in this channel.")]


def register(app: typer.Typer) -> None:
    app.command("status")(status)
    app.command("review")(review)
    app.command("digest")(digest)


def status(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="One service; all when left out.")] = None,
    at: At = None,
    json: Json = False,
    text: Text = False,
) -> int:
    """Show the error budgets, one line each."""
    return _report(context, "status", [service] if service else None, at, json=json, text=text, html=None, post=None)


def review(
    context: typer.Context,
    *,
    at: At = None,
    service: Services = None,
    json: Json = False,
    text: Text = False,
    html: Html = None,
    post: Post = None,
) -> int:
    """Show the reliability review. Exits 1 when data is missing, 3 when the metrics can't be reached."""
    return _report(context, "review", service, at, json=json, text=text, html=html, post=post)


def digest(
    context: typer.Context,
    *,
    at: At = None,
    service: Services = None,
    json: Json = False,
    text: Text = False,
    html: Html = None,
    post: Post = None,
) -> int:
    """Show the error-budget digest, one screen."""
    return _report(context, "digest", service, at, json=json, text=text, html=html, post=post)


def _report(
    context: typer.Context,
    what: Report,
    services: list[str] | None,
    at: str | None,
    *,
    json: bool,
    text: bool,
    html: Path | None,
    post: str | None,
) -> int:
    if json + text + (html is not None) > 1:
        raise UsageError("Choose one of --json, --text and --html.")
    if html is not None:
        raise UsageError(f"--html is not in this version yet; use --text or --json ({html} was not written).")
    return run_async(_make(context, what, services, at, json=json, text=text, post=post))


async def _make(
    context: typer.Context,
    what: Report,
    services: list[str] | None,
    at: str | None,
    *,
    json: bool,
    text: bool,
    post: str | None,
) -> int:
    wiring, settings = begin(context)
    moment = parse_at(at, wiring.now())
    if not settings.slos:
        raise UsageError("There are no SLOs to judge: set DIRECTOR_SLOS to OpenSLO files or folders, or make ./slos.")
    async with memory(wiring, settings) as store, wiring.reliability(settings, store) as reliability:
        say = reliability.assess if what == "status" else reliability.issue
        assessment = await say(services or None, moment)
    if json:
        show_json(assessment.contract())
    if text or not (json or post):
        reply = _reply(what, assessment)
        # A digest is one screen; in chat its detail stands in the thread, here `review` has it.
        show_reply(reply.model_copy(update={"detail": ()}) if what == "digest" else reply)
    if post:
        async with wiring.posting(settings) as posting:
            place, name = await posting.channel(post)
            await posting.post(place, _reply(what, assessment))
        tell(f"Posted the {what} in {name}.")
    return assessment.exit_code


def _reply(what: Report, assessment: Assessment) -> Reply:
    from bot.reliability import digest_reply, review_reply, status_reply

    if what == "review":
        return review_reply(assessment)
    return digest_reply(assessment) if what == "digest" else status_reply(assessment)
