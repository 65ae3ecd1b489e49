"""The use cases: what the Director does with a turn, on any platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot import commands
from bot.conversation.words import Question, opening, plain
from bot.domain import Answer, Audience, IncomingKind, Message, Note, Person, Place, Reply, Standing, Text, Usage
from bot.errors import DirectorError, UsageError
from bot.reports import Reports
from bot.schedule_chat import Channels
from bot.schedule_grammar import ChannelRef
from bot.schedules import ScheduleStore, What, late_note
from bot.turn import NothingToSay, Turn


class Talks(Protocol):
    async def answer(self, turn: Turn) -> Answer:
        """Answer a question in a conversation, with the model or without it."""
        ...


class Plans(Protocol):
    """Plans as people see them."""

    async def draft(
        self,
        initiative: str,
        *,
        request_key: str,
        place: Place,
        author_id: str | None,
        now: datetime,
        status: Callable[[str], Awaitable[None]],
    ) -> tuple[Reply, tuple[Usage, ...]]:
        """Draft, store and show a plan; the same request key gives the same plan. With the tokens that it took."""
        ...

    async def show(self, plan_id: str, *, workspace: str | None) -> Reply: ...

    async def overview(self, *, workspace: str | None) -> Reply: ...


class ScheduleWords(Protocol):
    async def handle(
        self, text: str, *, place: Place, person: Person, request_key: str, now: datetime, channel_name: str | None
    ) -> Reply:
        """Do what stands behind the word "schedule"; raises UsageError in the person's words."""
        ...


class Director:
    """Answers a turn. Holds no state of its own: everything is in the ports."""

    def __init__(
        self,
        *,
        talks: Talks,
        reports: Reports,
        plans: Plans,
        schedule_words: ScheduleWords,
        schedules: ScheduleStore,
        channels: Channels | None = None,
    ) -> None:
        """`channels` is asked for names that the platform didn't send along; None when no settings need them."""
        self._talks = talks
        self._reports = reports
        self._plans = plans
        self._schedule_words = schedule_words
        self._schedules = schedules
        self._channels = channels

    async def answer(self, turn: Turn) -> Answer:
        """Raises DirectorError with a message fit to show; NothingToSay when no answer is due."""
        if self._channels is not None:
            turn = await _with_channel_name(turn, self._channels)
        incoming = turn.incoming
        match incoming.kind:
            case IncomingKind.NOTICE:
                return Answer(reply=Reply(summary=incoming.text, parts=(Text(markdown=incoming.text),)))
            case IncomingKind.SLOT:
                return Answer(reply=await self._slot(turn))
            case IncomingKind.COMMAND:
                answer = await self._command(turn, commands.parse(incoming.text))
                return _kept(turn, answer) if answer.reply.audience is Audience.ALL else answer
            case IncomingKind.ASK:
                command = commands.parse_mention(incoming.text)
                if command is None:
                    return Answer(reply=_welcome()) if _says_nothing(turn) else await self._talks.answer(turn)
                answer = await self._command(turn, command)
                # A question asked in front of everyone is answered there.
                reply = answer.reply.model_copy(update={"audience": Audience.ALL})
                return _kept(turn, answer.model_copy(update={"reply": reply}))

    async def _command(self, turn: Turn, command: commands.Command) -> Answer:
        match command:
            case commands.Help():
                return Answer(reply=_help(commands.HELP))
            case commands.Unknown(text):
                return Answer(reply=_help(f"I don't know “{text}”.\n\n{commands.HELP}"))
            case commands.MakePlan(initiative):
                _members_only(turn)
                return await self._plan(turn, initiative)
            case _:
                _members_only(turn)
                return Answer(reply=await self._report(turn, command))

    async def _report(
        self,
        turn: Turn,
        command: commands.Status
        | commands.Review
        | commands.Digest
        | commands.ShowPlan
        | commands.ListPlans
        | commands.Schedule,
    ) -> Reply:
        workspace = turn.incoming.place.workspace
        match command:
            case commands.Status(service):
                await turn.status("looks up error budgets …")
                return await self._reports.status(service, turn.now)
            case commands.Review(services) | commands.Digest(services):
                what: What = "review" if isinstance(command, commands.Review) else "digest"
                await turn.status(f"prepares the {what} …")
                return await self._reports.report(what, services, turn.incoming.channel_name, turn.now)
            case commands.ShowPlan(plan_id):
                return _only_asker(await self._plans.show(plan_id, workspace=workspace))
            case commands.ListPlans():
                return _only_asker(await self._plans.overview(workspace=workspace))
            case commands.Schedule(rest):
                if turn.person is None:
                    raise DirectorError("Only a person can change schedules.")
                return await self._schedule_words.handle(
                    rest,
                    place=turn.incoming.place,
                    person=turn.person,
                    request_key=turn.id,
                    now=turn.now,
                    channel_name=turn.incoming.channel_name,
                )

    async def _plan(self, turn: Turn, initiative: str) -> Answer:
        if not initiative.strip():
            raise UsageError("A plan needs an initiative, e.g. `/director plan Move checkout to its own database`.")
        reply, usage = await self._plans.draft(
            initiative.strip(),
            request_key=turn.id,
            place=turn.incoming.place,
            author_id=turn.incoming.speaker_id,
            now=turn.now,
            status=turn.status,
        )
        return Answer(reply=reply, usage=usage)

    async def _slot(self, turn: Turn) -> Reply:
        slot = turn.incoming.slot
        if slot is None:
            raise DirectorError(f"turn {turn.id} is a schedule's slot without its time; it can't be answered")
        schedule = await self._schedules.get(slot.schedule_id, workspace=turn.incoming.place.workspace)
        if schedule is None or schedule.paused:
            raise NothingToSay(f"schedule {slot.schedule_id} was removed or paused")
        # The figures are those of the moment that the schedule names, also when they are posted late.
        reply = await self._reports.scheduled(schedule, slot.due_at)
        late = late_note(slot, turn.now)
        return reply.model_copy(update={"parts": (*reply.parts, Note(markdown=late))}) if late else reply


def _members_only(turn: Turn) -> None:
    person = turn.person
    if person is not None and person.may_see_figures:
        return
    if person is None or person.standing is Standing.UNKNOWN:
        raise DirectorError("I could not look up who you are just now, so I show no figures. Please try again.")
    raise DirectorError(
        "Figures, plans and schedules are for members of this workspace. "
        "I'm glad to give general advice: just ask me a question."
    )


def _only_asker(reply: Reply) -> Reply:
    return reply.model_copy(update={"audience": Audience.ASKER})


def _help(text: str) -> Reply:
    return Reply(summary="What I can do", parts=(Text(markdown=text),), audience=Audience.ASKER)


def _says_nothing(turn: Turn) -> bool:
    """A bare mention that stands beneath nothing it could be about."""
    return not (turn.incoming.text.strip() or turn.thread.messages or turn.before or turn.root)


def _welcome() -> Reply:
    return _help(f"You called me without words; I can read no files and pictures.\n\n{commands.HELP}").model_copy(
        update={"audience": Audience.ALL}
    )


def _kept(turn: Turn, answer: Answer) -> Answer:
    """A command answered before everyone, kept as a conversation would keep it: later questions may refer to it."""
    if turn.person is None:
        return answer
    question = Question(
        incoming=turn.incoming,
        person=turn.person,
        thread=turn.thread,
        before=turn.before,
        root=turn.root,
        now=turn.now,
    )
    said = Message(role="assistant", content=plain(answer.reply))
    return answer.model_copy(update={"messages": (*opening(question, turn.thread.messages), said)})


async def _with_channel_name(turn: Turn, channels: Channels) -> Turn:
    incoming = turn.incoming
    if incoming.channel_name is not None or incoming.kind not in (IncomingKind.ASK, IncomingKind.COMMAND):
        return turn
    found = await channels.find(incoming.place, ChannelRef(id=incoming.place.channel, name=""))
    if found is None or not found.name:
        return turn
    return replace(turn, incoming=incoming.model_copy(update={"channel_name": found.name}))
