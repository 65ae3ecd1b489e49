"""The facade: services by name, one instant for all, what is issued stays as it was said, facts with their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from bot.domain import Fact
from bot.reliability import Assessment, Reliability, State, UnknownService, facts
from bot.reliability.assessment import Remark
from bot.reliability.definitions import Definitions, ServiceDefinition
from bot.reliability.exclusions import Exclusion
from bot.reliability.metrics import Ask, Failed, Measured, Method
from bot.reliability.windows import Span
from tests.bot.reliability.samples import AT, assessment, failed, measured, promise
from tests.doubles.remembered import MemoryHours, MemoryIssued

SUNDAY = Exclusion(
    service="Checkout",
    rule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3",
    duration=timedelta(hours=1),
    reason="database maintenance",
    owner="dana",
)


@dataclass
class Remembering:
    """A source that answers as `answer` says and remembers what it was asked."""

    answer: Callable[[Ask], Measured | Failed] = lambda _: measured()
    identity: str = "http://prometheus:9090"
    asks: list[tuple[tuple[Ask, ...], datetime, Method]] = field(default_factory=list)

    @property
    def asked(self) -> list[tuple[int, datetime]]:
        return [(len(asks), at) for asks, at, _ in self.asks]

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        self.asks.append((tuple(asks), at, method))
        return [self.answer(ask) for ask in asks]

    async def check(self) -> str:
        return "fine"

    async def close(self) -> None:
        pass


def room(source: Remembering, **more: object) -> Reliability:
    names = ("checkout", "payments", "search")
    promises = (
        promise("checkout"),
        promise("payments"),
        promise("payments", name="again"),
        promise("search"),
    )
    services = tuple(ServiceDefinition(name) for name in names)
    return Reliability(Definitions(services, promises), {"prometheus": source}, **more)  # type: ignore[arg-type]


async def test_all_services_are_assessed_in_order() -> None:
    found = await room(Remembering()).assess(None, AT)
    assert [item.definition.key for item in found.items] == [
        ("checkout", "checkout-availability", "availability"),
        ("payments", "payments-availability", "again"),
        ("payments", "payments-availability", "availability"),
        ("search", "search-availability", "availability"),
    ]


async def test_two_objectives_of_one_indicator_cost_one_question() -> None:
    source = Remembering()
    await room(source).assess(["payments"], AT)
    assert source.asked == [(1, AT)]


async def test_a_service_is_known_in_any_case() -> None:
    found = await room(Remembering()).assess(["Checkout", "CHECKOUT"], AT)
    assert ([item.service for item in found.items], found.asked) == (["checkout"], ("checkout",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chekout", "There is no service called 'chekout'. Did you mean checkout?"),
        ("zzz", "There is no service called 'zzz'. Known are checkout, payments and search."),
    ],
)
async def test_an_unknown_service_names_near_ones(name: str, text: str) -> None:
    with pytest.raises(UnknownService) as raised:
        await room(Remembering()).assess([name], AT)
    assert (str(raised.value), raised.value.exit_code) == (text, 2)


async def test_without_slo_files_an_unknown_service_says_what_to_set() -> None:
    with pytest.raises(UnknownService, match="No SLO files are loaded; set DIRECTOR_SLOS"):
        await Reliability(Definitions(), {}).assess(["x"], AT)


async def test_the_instant_is_a_whole_second_that_can_be_asked_for_again() -> None:
    source = Remembering()
    found = await room(source).assess(None, AT + timedelta(microseconds=999_999))
    assert (found.at, {at for _, at in source.asked}) == (AT, {AT})


# --- questions and issued reviews ---


async def test_a_question_is_answered_from_hours_and_a_review_by_one_increase() -> None:
    source = Remembering()
    await room(source).assess(None, AT)
    await room(source).issue(None, AT)
    assert [method for _, _, method in source.asks] == ["hours", "increase"]


async def test_asked_again_what_was_issued_is_said_again_and_nothing_is_measured() -> None:
    issued = MemoryIssued()
    first = await room(Remembering(), issued=issued).issue(None, AT)
    later = Remembering(lambda _: measured(part=9_999.0))
    again = await room(later, issued=issued).issue(None, AT)
    assert (again, later.asks) == (first, [])
    assert again.contract() == first.contract()


async def test_reviews_of_several_channels_at_one_instant_are_measured_once() -> None:
    source = Remembering()
    reliability = room(source, issued=MemoryIssued())
    both = await asyncio.gather(reliability.issue(["checkout", "search"], AT), reliability.issue(["search"], AT))
    assert both[0].items[1:] == both[1].items
    assert source.asked == [(2, AT)]


async def test_a_question_about_the_same_instant_is_measured_and_not_kept() -> None:
    issued = MemoryIssued()
    await room(Remembering(), issued=issued).assess(None, AT)
    assert issued.facts == {}


async def test_what_could_not_be_measured_is_measured_when_asked_again() -> None:
    def half(ask: Ask) -> Measured | Failed:
        return failed(unreachable=True) if "checkout" in str(ask.indicator.total) else measured()

    issued = MemoryIssued()
    broken = await room(Remembering(half), issued=issued).issue(None, AT)
    assert [(item.service, item.state) for item in broken.items if item.state is not State.OK] == [
        ("checkout", State.QUERY_FAILED)
    ]
    mended = Remembering()
    whole = await room(mended, issued=issued).issue(None, AT)
    assert mended.asked == [(1, AT)]
    assert {item.state for item in whole.items} == {State.OK}
    assert whole.items[1:] == broken.items[1:]


@pytest.mark.parametrize(
    "answer",
    [failed(), measured(part=None, total=None, sampled=[False] * 672), measured(part=9e9)],
    ids=["failed", "no data", "more bad than total"],
)
async def test_no_failure_and_no_silence_is_kept(answer: Measured | Failed) -> None:
    issued = MemoryIssued()
    await room(Remembering(lambda _: answer), issued=issued).issue(None, AT)
    assert issued.facts == {}


async def test_another_target_source_or_exclusion_is_another_question() -> None:
    issued = MemoryIssued()
    await room(Remembering(), issued=issued).issue(["checkout"], AT)
    for other in (
        room(Remembering(identity="http://other:9090"), issued=issued),
        room(Remembering(), issued=issued, exclusions=(SUNDAY,)),
        Reliability(
            Definitions((ServiceDefinition("checkout"),), (promise("checkout", "0.99"),)),
            {"prometheus": Remembering()},
            issued=issued,
        ),
    ):
        before = len(issued.facts)
        await other.issue(["checkout"], AT)
        assert len(issued.facts) == before + 1


async def test_facts_that_another_version_kept_are_measured_again() -> None:
    issued = MemoryIssued()
    first = await room(Remembering(), issued=issued).issue(None, AT)
    issued.facts = dict.fromkeys(issued.facts, '{"form": 99}')
    assert await room(Remembering(), issued=issued).issue(None, AT) == first


async def test_what_stood_beside_a_burn_is_looked_up_for_what_is_issued_and_kept_with_it() -> None:
    async def attribute(found: Assessment) -> Assessment:
        remark = Remark("deploys", "looked up")
        return replace(found, items=tuple(replace(item, remarks=(*item.remarks, remark)) for item in found.items))

    issued = MemoryIssued()
    first = await room(Remembering(), issued=issued, attribute=attribute).issue(["search"], AT)
    assert first.items[0].remarks[-1] == Remark("deploys", "looked up")
    assert await room(Remembering(), issued=issued).issue(["search"], AT) == first
    asked = await room(Remembering(), attribute=attribute).assess(["search"], AT)
    assert asked.items[0].remarks == ()


# --- what is asked ---


async def test_excluded_times_of_the_service_reach_the_source() -> None:
    source = Remembering()
    await room(source, exclusions=(SUNDAY,)).assess(None, AT)
    [(asks, _, _)] = source.asks
    sundays = [datetime(2026, 10, 25, 3, tzinfo=UTC) + timedelta(weeks=week) for week in range(4)]
    spans = tuple(Span(at, at + timedelta(hours=1)) for at in sundays)
    assert [ask.excluded for ask in asks] == [spans, (), ()]


async def test_excluded_times_reach_back_a_week_where_the_window_is_shorter() -> None:
    source = Remembering()
    day = replace(promise("checkout"), window=replace(promise("checkout").window, length=timedelta(days=1)))
    definitions = Definitions((ServiceDefinition("checkout"),), (day,))
    await Reliability(definitions, {"prometheus": source}, exclusions=(SUNDAY,)).assess(None, AT)
    [(asks, _, _)] = source.asks
    assert [span.start for span in asks[0].excluded] == [datetime(2026, 11, 15, 3, tzinfo=UTC)]


async def test_below_ten_allowed_failures_hours_are_too_coarse() -> None:
    source = Remembering()
    await room(source).assess(["checkout"], AT)
    assert [ask.sparse_below for asks, _, _ in source.asks for ask in asks] == [Fraction(10_000)]


async def test_the_keeper_asks_for_every_hour_and_hears_each_failure_once() -> None:
    source = Remembering(lambda _: failed("It is down."))
    assert await room(source, exclusions=(SUNDAY,)).remember(AT + timedelta(milliseconds=3)) == ("It is down.",)
    [(asks, at, method)] = source.asks
    assert ([ask.excluded for ask in asks], at, method) == ([(), (), ()], AT, "hours")


async def test_others_get_their_turn_while_many_objectives_are_judged() -> None:
    many = tuple(promise(f"s{number:04}") for number in range(400))
    definitions = Definitions(tuple(ServiceDefinition(item.service) for item in many), many)
    reliability = Reliability(definitions, {"prometheus": Remembering()}, issued=MemoryIssued())

    async def turns_during_a_review() -> int:
        review, turns = asyncio.create_task(reliability.issue(None, AT)), 0
        while not review.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    measured_and_kept = await turns_during_a_review()
    said_again = await turns_during_a_review()
    assert (measured_and_kept > 10, said_again > 3) == (True, True)  # some 100 ms and 20 ms of work, 5 ms at a time


# --- facts ---


def test_every_figure_is_a_fact_with_its_query_and_instant() -> None:
    found = facts(assessment((promise(), measured(part=1600.0, burn={"24h": (1.4, 1000.0)}))), start=5)
    assert [fact.id for fact in found] == [f"f{number}" for number in range(5, 5 + len(found))]
    assert {fact.evaluated_at for fact in found} == {AT}
    assert {fact.entity for fact in found} == {"checkout"}
    assert [(fact.meaning, fact.text) for fact in found] == [
        ("state of the error budget over 28d", "at risk"),
        ("objective over 28d", "99.9%"),
        ("error budget left over 28d", "20.0%"),
        ("error budget used over 28d", "80.0%"),
        ("share of the 28d error budget used in the last 7 days", "0%"),
        ("share of good events over 28d", "99.920%"),
        ("bad events over 28d", "1,600"),
        ("all events over 28d", "2,000,000"),
        ("burn rate of the last 1h (1× spends exactly the budget)", "0×"),
        ("burn rate of the last 6h (1× spends exactly the budget)", "0×"),
        ("burn rate of the last 24h (1× spends exactly the budget)", "1.4×"),
        ("burn rate of the last 3d (1× spends exactly the budget)", "0×"),
        ("burn rate of the last 7d (1× spends exactly the budget)", "0×"),
    ]
    assert found[6] == Fact(
        id="f11",
        text="1,600",
        value=1600.0,
        unit="events",
        entity="checkout",
        meaning="bad events over 28d",
        query="sum(increase(bad[28d]))",
        evaluated_at=AT,
    )


def test_what_has_no_figure_has_no_fact() -> None:
    found = facts(assessment((promise(), failed())))
    assert [(fact.id, fact.text) for fact in found] == [("f1", "query failed"), ("f2", "99.9%")]


class Noon:
    """A clock that stands at an instant a day before the one judged."""

    def now(self) -> datetime:
        return AT - timedelta(days=1)


async def test_a_query_that_changed_is_said_and_one_that_did_not_is_not() -> None:
    memory, source = MemoryHours(), Remembering()
    services = (ServiceDefinition("checkout"), ServiceDefinition("payments"))
    before = (promise("checkout"), promise("payments"))
    await Reliability(Definitions(services, before), {"prometheus": source}, hours=memory, clock=Noon()).assess(
        None, AT
    )
    after = (replace(before[0], indicator=promise("basket").indicator), before[1])
    found = await Reliability(Definitions(services, after), {"prometheus": source}, hours=memory, clock=Noon()).assess(
        None, AT
    )
    assert [[remark.code for remark in item.remarks] for item in found.items] == [["query_changed"], []]
    assert found.items[0].remarks[0].text == (
        "the query changed (noticed Sun 15 Nov 2026 08:00 UTC); all figures are counted by the new one"
    )
