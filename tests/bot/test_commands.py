"""What people type, and what it asks for."""

import pytest

from bot import commands as c


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", c.Help()),
        ("help", c.Help()),
        ("STATUS", c.Status(None)),
        ("status checkout", c.Status("checkout")),
        ("status of everything", c.Unknown("status of everything")),
        ("review", c.Review(())),
        ("review for checkout, payments", c.Review(("checkout", "payments"))),
        ("digest checkout", c.Digest(("checkout",))),
        ("plan", c.MakePlan("")),
        ("plan Move checkout to Postgres 18", c.MakePlan("Move checkout to Postgres 18")),
        ("plan\nMove checkout\nto Postgres", c.MakePlan("Move checkout\nto Postgres")),
        ("schedule\N{NO-BREAK SPACE}list", c.Schedule("list")),
        ('plan new "Split the monolith"', c.MakePlan("Split the monolith")),
        ("plan show P7", c.ShowPlan("p7")),
        ("plan show the team what we did", c.MakePlan("show the team what we did")),
        ("plan list", c.ListPlans()),
        ("plan show", c.Unknown("plan show")),
        ("plan show 7", c.Unknown("plan show 7")),
        ("plan approve p7", c.Unknown("plan approve p7")),
        ("plan new", c.MakePlan("")),
        ("schedule review every monday 09:00", c.Schedule("review every monday 09:00")),
        ("revew", c.Unknown("revew")),
        ("Help!", c.Help()),
        ("Status checkout.", c.Status("checkout")),
        ("Review for checkout, payments. ", c.Review(("checkout", "payments"))),
        ("Schedule list.", c.Schedule("list")),
        ("Plan list.", c.ListPlans()),
        ("Plan show p7.", c.ShowPlan("p7")),
        ("Plan.", c.MakePlan("")),
        ("plan Move it. Then measure.", c.MakePlan("Move it. Then measure.")),
        ("plan “Move checkout”", c.MakePlan("Move checkout")),
        ("plan “Move” and “copy” checkout", c.MakePlan("“Move” and “copy” checkout")),
    ],
)
def test_the_words_behind_the_slash_command(typed: str, asked: c.Command) -> None:
    assert c.parse(typed) == asked


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("help", c.Help()),
        ("help me with a design", None),
        ("how is checkout doing?", None),
        ("status checkout", c.Status("checkout")),
        ("review", c.Review(())),
        ("review my design", None),
        ("review design", None),
        ("review for checkout", c.Review(("checkout",))),
        ("plan moving search to its own cluster", c.MakePlan("moving search to its own cluster")),
        ("plan", None),
        ("schedule list", c.Schedule("list")),
        ("schedule a meeting with me", None),
        ("Help.", c.Help()),
        ("Review.", c.Review(())),
        ("status?", None),
        ("", None),
    ],
)
def test_a_mention_is_a_command_only_when_it_spells_one_out(said: str, asked: c.Command | None) -> None:
    assert c.parse_mention(said) == asked


@pytest.mark.parametrize("said", ["stop", "Stop.", " STOP! ", "Stop\N{NO-BREAK SPACE}"])
def test_stop_is_a_word_of_its_own_however_a_phone_writes_it(said: str) -> None:
    assert c.asks_to_stop(said)


@pytest.mark.parametrize("said", ["stop the rollout", "don't stop", "stop?", ""])
def test_what_only_speaks_of_stopping_stops_nothing(said: str) -> None:
    assert not c.asks_to_stop(said)
