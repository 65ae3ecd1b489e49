"""What a review said is kept as text and read back as the very same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.assessment import Figures, Objective, Point, Remark, State, TakenOut
from bot.reliability.assessment_codec import UnreadableFacts, decode, encode
from bot.reliability.deploys import Deploy
from bot.reliability.forecast import Forecast, Relief
from bot.reliability.incidents import Burner, Incident
from bot.reliability.metrics import BURN_WINDOWS, Failed, Measured
from bot.reliability.windows import Span
from tests.bot.reliability.samples import AT, failed, judged, measured, promise

TEXT = st.text(max_size=12)
SHARES = st.fractions()
MAYBE = st.none() | SHARES
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(lambda start, length: Span(start, start + length), MOMENTS, st.timedeltas(timedelta(0), timedelta(9)))
DEPLOYS = st.builds(Deploy, TEXT, MOMENTS, TEXT, TEXT)
BURNERS = st.builds(Burner, TEXT, TEXT, SHARES)
INCIDENTS = st.builds(
    Incident, SPANS, SHARES, SHARES, st.lists(DEPLOYS, max_size=2).map(tuple), st.lists(BURNERS, max_size=2).map(tuple)
)
OBJECTIVES = st.builds(
    Objective,
    definition=st.just(promise()),
    state=st.sampled_from(State),
    sentence=TEXT,
    figures=st.builds(
        Figures,
        bad=MAYBE,
        total=MAYBE,
        sli=MAYBE,
        consumed=MAYBE,
        remaining=MAYBE,
        burn=st.fixed_dictionaries(dict.fromkeys(BURN_WINDOWS, MAYBE)),
        spent_7d=MAYBE,
    ),
    remarks=st.lists(st.builds(Remark, TEXT, TEXT), max_size=2).map(tuple),
    method=st.sampled_from(["increase", "hours", None]),
    queries=st.dictionaries(TEXT, TEXT, max_size=2),
    source=TEXT,
    evaluated_at=MOMENTS,
    points=st.lists(st.builds(Point, MOMENTS, SHARES, SHARES, SHARES), max_size=2).map(tuple),
    unreachable=st.booleans(),
    forecast=st.none()
    | st.builds(Forecast, st.none() | MOMENTS, st.none() | MOMENTS, st.none() | st.builds(Relief, MOMENTS, SHARES)),
    incidents=st.lists(INCIDENTS, max_size=2).map(tuple),
    excluded=st.none()
    | st.builds(
        TakenOut,
        times=st.integers(0, 99),
        length=st.timedeltas(timedelta(0), timedelta(99)),
        bad=MAYBE,
        total=MAYBE,
        announced=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    ),
    in_doubt=st.booleans(),
)


@given(OBJECTIVES)
def test_any_objective_comes_back_as_it_was(objective: Objective) -> None:
    again = decode(encode(objective), objective.definition)
    assert again == objective
    assert again.contract() == objective.contract()


@pytest.mark.parametrize("answer", [measured(), measured(part=2469.0), measured(part=1 / 3), failed()])
def test_what_was_judged_comes_back_as_it_was(answer: Measured | Failed) -> None:
    objective = judged(answer)
    assert decode(encode(objective), promise()) == objective


def test_the_order_of_queries_and_burns_is_kept() -> None:
    objective = judged(measured())
    again = decode(encode(objective), promise())
    assert (list(again.queries), list(again.figures.burn)) == (["bad", "total"], list(BURN_WINDOWS))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"what is kept can't be read \(JSONDecodeError\)"),
        ("[]", r"what is kept can't be read \(TypeError\)"),
        ('{"form": 1}', r"what is kept can't be read \(KeyError\)"),
        ('{"form": 2}', "facts are kept in form 2, this version reads form 1"),
        (encode(judged(measured())).replace('"OK"', '"FINE"'), r"what is kept can't be read \(ValueError\)"),
        (
            encode(judged(measured(part=1.5))).replace('"3/2"', '"3/0"'),
            r"what is kept can't be read \(ZeroDivisionError\)",
        ),
    ],
)
def test_text_of_another_form_is_not_guessed_at(text: str, why: str) -> None:
    with pytest.raises(UnreadableFacts, match=why):
        decode(text, promise())


def test_it_is_evaluated_when_it_was() -> None:
    assert decode(encode(judged(measured())), promise()).evaluated_at == AT
    assert Fraction(1) == decode(encode(judged(measured(part=0.0))), promise()).figures.remaining
