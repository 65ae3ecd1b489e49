"""`director doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from handlers.cli.session import begin, run_async, show, show_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.settings import Settings
    from handlers.cli.wiring import Room, Wiring

PATIENCE = 5.0  # seconds per check
PATIENCE_WITH_SDK = 20.0  # some take seconds to load on a small machine

_NO_SLOS = "there are none, so there is nothing to review; set DIRECTOR_SLOS or make ./slos (docs/slos.md)."

Finding = Literal["ok", "problem", "off"]


class Check(NamedTuple):
    check: str
    state: Finding
    text: str


_OFF = {
    "slack": "SLACK_BOT_TOKEN is not set, so nothing is answered in Slack; docs/slack.md leads there.",
    "teams": "TEAMS_CLIENT_ID is not set, so nothing is answered in Microsoft Teams; docs/teams.md leads there.",
    "metrics": "PROMETHEUS_URL is not set; only SLOs from CSV files can be judged.",
    "model": "ANTHROPIC_API_KEY is not set, so mentions are answered with figures only, without a model.",
    "database": "there is no database.",
}


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False
) -> int:
    """Check settings, database, Slack, Teams, metrics, model and SLO files. Exits 1 when something does not work."""
    checks = run_async(_examine(context))
    if json:
        show_json([check._asdict() for check in checks])
    else:
        show("\n".join(_line(check) for check in checks))
    return 1 if any(check.state == "problem" for check in checks) else 0


async def _examine(context: typer.Context) -> list[Check]:
    import asyncio

    from bot.settings import SettingsError
    from handlers import logs

    try:
        wiring, settings = begin(context)
    except SettingsError as error:
        logs.configure("WARNING", None)
        return [Check("settings", "problem", str(mistake)) for mistake in error.mistakes]
    rooms: tuple[Room, ...] = ("database", "slack", "teams", "metrics", "model")
    found = await asyncio.gather(*(_room(wiring, settings, room) for room in rooms))
    return [_settings(settings), *_misspelt(), *found, *await _slos(settings), *_later(settings)]


async def _room(wiring: Wiring, settings: Settings, room: Room) -> Check:
    patience = PATIENCE_WITH_SDK if room in ("teams", "model") else PATIENCE
    return await _within(room, lambda: wiring.check(settings, room), off=_OFF[room], patience=patience)


async def _within(name: str, ask: Callable[[], Awaitable[str | None]], *, off: str, patience: float) -> Check:
    """One check; neither a hang nor a bug in it may hide the others."""
    import asyncio

    from bot.errors import DirectorError
    from handlers.redaction import redact

    try:
        async with asyncio.timeout(patience):
            said = await ask()
    except DirectorError as error:
        return Check(name, "problem", redact(str(error)))
    except TimeoutError:
        return Check(
            name, "problem", f"no answer within {patience:g} s; is its address right, and reachable from here?"
        )
    except Exception as error:  # noqa: BLE001  # logged and told
        import structlog

        structlog.get_logger(__name__).exception("check_broke", check=name)
        return Check(
            name, "problem", f"the check itself broke ({type(error).__name__}); this is a bug, see the log above"
        )
    return Check(name, "off", off) if said is None else Check(name, "ok", redact(said))


def _settings(settings: Settings) -> Check:
    file = settings.config_path or "no director.yml, which is fine"
    return Check("settings", "ok", f"environment and {file}" if settings.config_path else f"environment; {file}")


def _misspelt() -> list[Check]:
    import os

    from bot.settings_environment import misspelt

    return [
        Check("settings", "off", f"{name} is not read; did you mean {meant}?") for name, meant in misspelt(os.environ)
    ]


async def _slos(settings: Settings) -> list[Check]:
    """The SLO files, and what director.yml says of services that they don't have."""
    import asyncio

    from bot.errors import UsageError
    from bot.reliability import load_definitions

    known: tuple[str, ...] | None = None

    def load() -> str | None:
        nonlocal known
        if not settings.slos:
            return None
        definitions = load_definitions(settings.slos)
        known = definitions.service_names
        if not definitions.objectives:
            raise UsageError("they define no objective, so there is nothing to review (docs/slos.md)")
        objectives, services = len(definitions.objectives), len(known)
        return f"{objectives} objective{_s(objectives)} of {services} service{_s(services)}"

    check = await _within("SLO files", lambda: asyncio.to_thread(load), off=_NO_SLOS, patience=PATIENCE)
    return [check, *(_exclusions_of_nobody(settings, known) if known is not None else ())]


def _exclusions_of_nobody(settings: Settings, known: tuple[str, ...]) -> list[Check]:
    from bot.settings_values import nearest

    names = {name.casefold() for name in known}
    found = []
    for index, exclusion in enumerate(settings.file.exclusions):
        if exclusion.service.casefold() not in names:
            near = nearest(exclusion.service, known)
            hint = f"; did you mean {near}?" if near else ""
            text = f"exclusions[{index}] is for {exclusion.service!r}, which no SLO file names{hint}"
            found.append(Check("exclusions", "off", text))
    return found


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _later(settings: Settings) -> list[Check]:
    """Settings that are kept for rooms that this version does not have."""
    from bot.settings_later import without_effect

    later = []
    if keys := without_effect(settings):
        text = f"{', '.join(keys)}: checked, but without effect in this version"
        later.append(Check("not used", "off", text))
    if settings.slack_install is not None:
        text = "SLACK_CLIENT_ID is set, but installing into several workspaces is not built into this version yet"
        later.append(Check("Slack install", "off", text))
    return later


def _line(check: Check) -> str:
    mark = {"ok": "ok      ", "problem": "PROBLEM ", "off": "off     "}[check.state]
    indented = check.text.replace("\n", "\n" + " " * 19)
    return f"{mark} {check.check:<9} {indented}"
