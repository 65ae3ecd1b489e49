"""The facade: services by name, one instant for all, facts with their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.domain import Fact
from bot.reliability import Reliability, UnknownService, facts
from bot.reliability.definitions import Definitions, ServiceDefinition
from bot.reliability.metrics import Ask, Failed, Measured, Method
from tests.bot.reliability.samples import AT, assessment, failed, measured, promise


class Remembering:
    """A source that answers everything alike and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, datetime]] = []

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        _ = method
        self.asked.append((len(asks), at))
        return [measured() for _ in asks]

    async def check(self) -> str:
        return "fine"

    async def close(self) -> None:
        pass


def room(source: Remembering) -> Reliability:
    names = ("checkout", "payments", "search")
    promises = (
        promise("checkout"),
        promise("payments"),
        promise("payments", "0.99", name="relaxed"),
        promise("search"),
    )
    return Reliability(Definitions(tuple(ServiceDefinition(name) for name in names), promises), {"prometheus": source})


async def test_all_services_are_assessed_in_order() -> None:
    found = await room(Remembering()).assess(None, AT)
    assert [item.definition.key for item in found.items] == [
        ("checkout", "checkout-availability", "availability"),
        ("payments", "payments-availability", "availability"),
        ("payments", "payments-availability", "relaxed"),
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
