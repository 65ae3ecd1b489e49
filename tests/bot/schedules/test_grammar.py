"""What a schedule's sentence means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule_grammar import EXAMPLE, ChannelRef, ScheduleError, ScheduleSpec, canonical_zone, parse_schedule

BERLIN = "Europe/Berlin"
ALL = (0, 1, 2, 3, 4, 5, 6)


def spec(**fields: object) -> ScheduleSpec:
    return ScheduleSpec.model_validate({"what": "review", "days": (0,), "time": "09:00", "zone": BERLIN, **fields})


@pytest.mark.parametrize(
    ("sentence", "meaning"),
    [
        ("review every monday 09:00 Europe/Berlin", spec()),
        (
            "digest every weekday 08:30 for checkout,payments",
            spec(what="digest", days=(0, 1, 2, 3, 4), time="08:30", zone="UTC", services=("checkout", "payments")),
        ),
        ("digest every day 00:00", spec(what="digest", days=ALL, time="00:00", zone="UTC")),
        ("review every friday,monday,friday 9:05 UTC", spec(days=(0, 4), time="09:05", zone="UTC")),
        ("review every weekday,saturday 23:59 UTC", spec(days=(0, 1, 2, 3, 4, 5), time="23:59", zone="UTC")),
        ("REVIEW EVERY MONDAY 09:00 europe/BERLIN", spec()),
        ("  review   every\tmonday\n09:00 Europe/Berlin ", spec()),
        ("“review every monday 09:00 Europe/Berlin”", spec()),
        ("review every monday at 09:00 Europe/Berlin", spec()),
        ("`review every monday 09:00 Europe/Berlin` for “checkout”", spec(services=("checkout",))),
        ("review every monday , tuesday 09:00 Europe/Berlin", spec(days=(0, 1))),
        ("review every monday 09:00 Europe/Berlin in #Payments", spec(channel=ChannelRef(id=None, name="payments"))),
        ("review every monday 09:00 Europe/Berlin in #On Call", spec(channel=ChannelRef(id=None, name="on-call"))),
        (
            "review every monday 09:00 Europe/Berlin in #Zahlungen & Überweisungen (EU) for a",
            spec(channel=ChannelRef(id=None, name="zahlungen-&-überweisungen-(eu)"), services=("a",)),
        ),
        (
            "review every monday 09:00 Europe/Berlin in <#C123|payments> for checkout, fraud",
            spec(channel=ChannelRef(id="C123", name="payments"), services=("checkout", "fraud")),
        ),
        ("review every monday 09:00 Europe/Berlin in <#C123>", spec(channel=ChannelRef(id="C123", name=""))),
        ("review every monday 09:00 Europe/Berlin in <#C123|>", spec(channel=ChannelRef(id="C123", name=""))),
        (
            "review every monday 09:00 Europe/Berlin for a in #b",
            spec(channel=ChannelRef(id=None, name="b"), services=("a",)),
        ),
        ("review every monday 09:00 utc for a,a", spec(zone="UTC", services=("a",))),
        (
            "review every sunday 09:00 america/argentina/buenos_aires",
            spec(days=(6,), zone="America/Argentina/Buenos_Aires"),
        ),
    ],
)
def test_a_sentence_means(sentence: str, meaning: ScheduleSpec) -> None:
    assert parse_schedule(sentence, default_zone="UTC") == meaning


def test_without_a_zone_the_default_zone_holds() -> None:
    assert parse_schedule("digest every day 07:00", default_zone="Asia/Tokyo").zone == "Asia/Tokyo"


WRONG_TIME = "The time of day is written with 24 hours as HH:MM, 00:00 to 23:59."
WRONG_ZONE = "It is no time zone that I know; zones have IANA names such as Europe/Berlin."
NO_PLACE = "Abbreviations and offsets don't say which summer time holds; name a place, as in Europe/Berlin."
WRONG_SERVICES = "Services are written by name with commas between them: for checkout,payments."
WRONG_REST = "After the time zone come only `in #channel` and `for service,service`, each once."
WRONG_DAY = "I know monday to sunday, weekday and day."


@pytest.mark.parametrize(
    ("sentence", "word", "message"),
    [
        ("", "", "A schedule says what to post and when."),
        ("review", "", "The sentence ends after “review”; the word “every” is missing."),
        ("review every", "", "The sentence ends after “every”; a day is missing."),
        ("review every monday", "", "The sentence ends after the day; a time is missing."),
        ("review every monday 09:00 in", "", "The sentence ends after “in”; a channel is missing."),
        ("review every monday 09:00 for", "", "The sentence ends after “for”; a service is missing."),
        (
            "reviev every monday 09:00",
            "reviev",
            "I don't understand “reviev” here. A schedule posts a review or a digest. Did you mean review?",
        ),
        (
            "report every monday 09:00",
            "report",
            "I don't understand “report” here. A schedule posts a review or a digest.",
        ),
        ("review on monday 09:00", "on", "I don't understand “on” here. After “review” comes “every”."),
        (
            "review every fridai 09:00",
            "fridai",
            f"I don't understand “fridai” here. {WRONG_DAY} Did you mean friday?",
        ),
        (
            "review every monday,wendesday 09:00",
            "wendesday",
            f"I don't understand “wendesday” here. {WRONG_DAY} Did you mean wednesday?",
        ),
        (
            "review every monday, 09:00",
            "09:00",
            "I don't understand “09:00” here. Commas stand only between days; put a space before the time.",
        ),
        (
            "review every monday and friday 09:00",
            "and",
            "I don't understand “and” here. Put a comma between days: monday,thursday.",
        ),
        ("review every monday 9am", "9am", f"I don't understand “9am” here. {WRONG_TIME} Did you mean 09:00?"),
        (
            "review every monday 12.30am",
            "12.30am",
            f"I don't understand “12.30am” here. {WRONG_TIME} Did you mean 00:30?",
        ),
        ("review every monday 5:15PM", "5:15PM", f"I don't understand “5:15PM” here. {WRONG_TIME} Did you mean 17:15?"),
        ("review every monday 09.00", "09.00", f"I don't understand “09.00” here. {WRONG_TIME} Did you mean 09:00?"),
        ("review every monday 0830", "0830", f"I don't understand “0830” here. {WRONG_TIME} Did you mean 08:30?"),
        ("review every monday 24:00", "24:00", f"I don't understand “24:00” here. {WRONG_TIME}"),
        ("review every monday 12:60", "12:60", f"I don't understand “12:60” here. {WRONG_TIME}"),
        ("review every monday १२:३४", "१२:३४", f"I don't understand “१२:३४” here. {WRONG_TIME}"),
        (
            "review every monday 09:00 Berlin",
            "Berlin",
            f"I don't understand “Berlin” here. {WRONG_ZONE} Did you mean Europe/Berlin?",
        ),
        (
            "review every monday 09:00 Europe/Berlln",
            "Europe/Berlln",
            f"I don't understand “Europe/Berlln” here. {WRONG_ZONE} Did you mean Europe/Berlin?",
        ),
        ("review every monday 09:00 PST", "PST", f"I don't understand “PST” here. {NO_PLACE}"),
        ("review every monday 09:00 GMT+1", "GMT+1", f"I don't understand “GMT+1” here. {NO_PLACE}"),
        ("review every monday 09:00 +01:00", "+01:00", f"I don't understand “+01:00” here. {NO_PLACE}"),
        (
            "review every monday 09:00 #payments",
            "#payments",
            "I don't understand “#payments” here. Put “in” before a channel: in #payments.",
        ),
        ("review every monday 09:00 localtime", "localtime", f"I don't understand “localtime” here. {WRONG_ZONE}"),
        (
            "review every monday 09:00 UTC in payments",
            "payments",
            "I don't understand “payments” here. A channel is written as #name. Did you mean #payments?",
        ),
        (
            "review every monday 09:00 in #payments Europe/Berlin",
            "Europe/Berlin",
            f"I don't understand “Europe/Berlin” here. {WRONG_REST}",
        ),
        (
            "review every monday 09:00 UTC for a;b",
            "a;b",
            f"I don't understand “a;b” here. {WRONG_SERVICES}",
        ),
        (
            "review every monday 09:00 UTC for a for b",
            "for",
            f"I don't understand “for” here. {WRONG_REST}",
        ),
        (
            "review every monday 09:00 UTC please",
            "please",
            f"I don't understand “please” here. {WRONG_REST}",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_word_and_an_example(sentence: str, word: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(sentence, default_zone="UTC")
    assert (str(caught.value), caught.value.word) == (f"{message} Example: `{EXAMPLE}`", word)


def test_an_endless_word_is_shown_shortened() -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(f"review every {'x' * 5000} 09:00", default_zone="UTC")
    assert len(str(caught.value)) < 300


def test_zones_have_their_own_spelling() -> None:
    assert [canonical_zone(name) for name in ("europe/berlin", "UTC", "Mars/Olympus", "")] == [
        BERLIN,
        "UTC",
        None,
        None,
    ]


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,12}", fullmatch=True)
specs = st.builds(
    ScheduleSpec,
    what=st.sampled_from(["review", "digest"]),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    time=st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
    zone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]),
    channel=st.none()
    | st.builds(ChannelRef, id=st.none(), name=names.map(str.lower))
    | st.builds(ChannelRef, id=st.from_regex(r"[CG][A-Z0-9]{1,9}", fullmatch=True), name=names),
    services=st.lists(names, unique=True, max_size=4).map(tuple),
)


@given(specs)
def test_a_schedule_written_as_a_sentence_reads_the_same_again(meant: ScheduleSpec) -> None:
    assert parse_schedule(str(meant), default_zone="Asia/Tokyo") == meant


@given(st.text())
def test_any_words_at_all_make_a_schedule_or_a_sentence_about_them(text: str) -> None:
    try:
        said = str(parse_schedule(text, default_zone="UTC"))
    except ScheduleError as error:
        said = str(error)
    assert "every" in said
