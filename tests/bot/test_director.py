"""What the Director does with a turn, whoever sends it from wherever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.commands import HELP
from bot.conversation.words import plain
from bot.director import Director
from bot.domain import (
    Answer,
    Audience,
    Incoming,
    IncomingKind,
    Message,
    Note,
    Person,
    Place,
    Reply,
    Said,
    Slot,
    Standing,
    Text,
    Thread,
    Usage,
)
from bot.errors import DirectorError, UsageError
from bot.reliability import Assessment
from bot.reports import Reports
from bot.schedule_grammar import ChannelRef
from bot.turn import NothingToSay, Turn
from tests.doubles.stores import MemorySchedules
from tests.doubles.talk import CHECKOUT, PAYMENTS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CHANNEL = Place(platform="slack", workspace="T1", channel="C1")
USAGE = Usage(model="m", input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4)


def says(text: str, audience: Audience = Audience.ALL) -> Reply:
    return Reply(summary=text, parts=(Text(markdown=text),), audience=audience)


@dataclass
class Measuring:
    asked: list[tuple[tuple[str, ...] | None, datetime]] = field(default_factory=list)
    issued: list[tuple[tuple[str, ...] | None, datetime]] = field(default_factory=list)

    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        self.asked.append((tuple(services) if services else None, at))
        return Assessment(at, (CHECKOUT, PAYMENTS), tuple(services or ()))

    async def issue(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        self.issued.append((tuple(services) if services else None, at))
        return Assessment(at, (CHECKOUT, PAYMENTS), tuple(services or ()))


class Talking:
    async def answer(self, turn: Turn) -> Answer:
        return Answer(reply=says(f"about {turn.incoming.text} in {turn.incoming.channel_name}"))


class Plans:
    async def draft(self, initiative: str, *, request_key: str, **_: object) -> tuple[Reply, tuple[Usage, ...]]:
        return says(f"plan of {initiative} for {request_key}"), (USAGE,)

    async def show(self, plan_id: str, *, workspace: str | None) -> Reply:
        return says(f"{plan_id} of {workspace}")

    async def overview(self, *, workspace: str | None) -> Reply:
        return says(f"plans of {workspace}")


class Words:
    async def handle(self, text: str, *, request_key: str, channel_name: str | None, **_: object) -> Reply:
        return says(f"{text} {request_key} {channel_name}")


class Names:
    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        return True

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        return ChannelRef(id=channel.id, name="payments")


@dataclass
class World:
    measuring: Measuring = field(default_factory=Measuring)
    schedules: MemorySchedules = field(default_factory=MemorySchedules)

    @property
    def director(self) -> Director:
        return Director(
            talks=Talking(),
            reports=Reports(self.measuring, {"#payments": ("checkout", "payments")}),
            plans=Plans(),
            schedule_words=Words(),
            schedules=self.schedules,
            channels=Names(),
        )


def turn(
    text: str,
    *,
    kind: IncomingKind = IncomingKind.COMMAND,
    standing: Standing = Standing.MEMBER,
    slot: Slot | None = None,
    now: datetime = NOW,
    place: Place = CHANNEL,
) -> Turn:
    async def quiet(_: str) -> None: ...

    return Turn(
        id="t1",
        incoming=Incoming(
            kind=kind,
            dedupe_key="k",
            place=place,
            text=text,
            received_at=NOW,
            speaker_id="U1",
            question="1.0",
            slot=slot,
        ),
        person=None if kind is IncomingKind.SLOT else Person(id="U1", name="Dana", standing=standing),
        thread=Thread(),
        before=(),
        root=None,
        now=now,
        write=quiet,
        status=quiet,
    )


async def answer(text: str, **how: object) -> Answer:
    return await World().director.answer(turn(text, **how))  # type: ignore[arg-type]


async def test_help_and_words_that_are_no_command_are_for_the_asker_alone() -> None:
    assert (await answer("help")).reply == Reply(
        summary="What I can do", parts=(Text(markdown=HELP),), audience=Audience.ASKER
    )
    unknown = (await answer("revew")).reply
    assert unknown.audience is Audience.ASKER
    assert unknown.parts == (Text(markdown=f"I don't know “revew”.\n\n{HELP}"),)


async def test_status_is_for_the_asker_alone_and_for_everyone_where_it_was_asked_in_front_of_everyone() -> None:
    assert (await answer("status")).reply.audience is Audience.ASKER
    mentioned = await answer("status", kind=IncomingKind.ASK)
    assert mentioned.reply.audience is Audience.ALL
    assert [message.role for message in mentioned.messages] == ["user", "system", "assistant"]


@pytest.mark.parametrize("words", ["review", "digest", "plan Move checkout"])
async def test_what_a_command_posts_for_everyone_is_known_to_later_questions_there(words: str) -> None:
    posted = await answer(words)
    assert posted.reply.audience is Audience.ALL
    question, _, told = posted.messages
    assert words in str(question.content)
    assert told == Message(role="assistant", content=plain(posted.reply))


async def test_what_a_command_shows_to_one_person_stays_out_of_everyones_talk() -> None:
    assert (await answer("status checkout")).messages == ()


@pytest.mark.parametrize("words", ["review", "digest"])
async def test_a_report_is_about_the_channels_services_unless_others_are_named(words: str) -> None:
    world = World()
    await world.director.answer(turn(words))
    await world.director.answer(turn(f"{words} for search"))
    assert world.measuring.issued == [(("checkout", "payments"), NOW), (("search",), NOW)]


async def test_a_plan_is_drafted_once_per_turn_with_its_tokens_counted() -> None:
    planned = await answer("plan Move checkout")
    assert (planned.reply, planned.usage) == (says("plan of Move checkout for t1"), (USAGE,))


async def test_a_plan_without_an_initiative_says_what_it_needs() -> None:
    with pytest.raises(UsageError, match="A plan needs an initiative"):
        await answer("plan")


async def test_schedules_get_the_words_and_the_channels_name() -> None:
    assert (await answer("schedule list")).reply == says("list t1 payments")


async def test_a_question_goes_to_the_conversation_with_the_channels_name() -> None:
    assert (await answer("why?", kind=IncomingKind.ASK)).reply == says("about why? in payments")


async def test_a_mention_without_words_gets_help_unless_it_stands_beneath_something() -> None:
    bare = turn(" ", kind=IncomingKind.ASK)
    beneath = replace(bare, before=(Said(message_id="0.9", speaker_id="U2", by_director=False, text="Is it safe?"),))

    helped = (await World().director.answer(bare)).reply

    [said] = helped.parts
    assert isinstance(said, Text)
    assert said.markdown == f"You called me without words; I can read no files and pictures.\n\n{HELP}"
    assert helped.audience is Audience.ALL
    assert (await World().director.answer(beneath)).reply == says("about   in payments")


@pytest.mark.parametrize("words", ["status", "review", "digest", "plan Move checkout", "plan list", "schedule list"])
@pytest.mark.parametrize("standing", [Standing.GUEST, Standing.EXTERNAL])
async def test_guests_and_people_from_elsewhere_get_no_figures(words: str, standing: Standing) -> None:
    with pytest.raises(DirectorError, match="for members of this workspace"):
        await answer(words, standing=standing)


async def test_someone_slack_does_not_know_just_now_is_asked_to_try_again() -> None:
    with pytest.raises(DirectorError, match="Please try again"):
        await answer("status", standing=Standing.UNKNOWN)
    nobody = replace(turn("status"), person=None)
    with pytest.raises(DirectorError, match="could not look up who you are"):
        await World().director.answer(nobody)


async def scheduled(world: World) -> Slot:
    schedule = await world.schedules.add(
        request_key="r",
        place=CHANNEL,
        channel_name="payments",
        what="review",
        days=(0,),
        time="09:00",
        zone="UTC",
        services=(),
        created_by="U1",
        at=NOW - timedelta(days=1),
    )
    return Slot(schedule_id=schedule.id, local="2026-11-23T09:00", zone="UTC", due_at=NOW)


async def test_a_slot_reports_the_figures_of_its_own_moment_and_says_when_it_is_late() -> None:
    world = World()
    slot = await scheduled(world)
    on_time = await world.director.answer(turn("review", kind=IncomingKind.SLOT, slot=slot))
    late = await world.director.answer(
        turn("review", kind=IncomingKind.SLOT, slot=slot, now=NOW + timedelta(hours=2, minutes=5))
    )
    assert world.measuring.issued == [(("checkout", "payments"), NOW)] * 2
    assert late.reply.parts == (
        *on_time.reply.parts,
        Note(markdown="Late: due 2026-11-23 09:00 UTC, made at 11:05."),
    )


async def test_a_slot_of_a_schedule_that_was_paused_or_removed_says_nothing() -> None:
    world = World()
    slot = await scheduled(world)
    await world.schedules.set_paused(slot.schedule_id, workspace="T1", paused=True, at=NOW)
    with pytest.raises(NothingToSay):
        await world.director.answer(turn("review", kind=IncomingKind.SLOT, slot=slot))


async def test_a_notice_is_said_as_it_is() -> None:
    assert (await answer("I could not post.", kind=IncomingKind.NOTICE)).reply == says("I could not post.")
