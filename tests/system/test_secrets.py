"""What must stand nowhere: secrets in logs, database and requests to the model; what people say in logs."""

from __future__ import annotations

import re
from pathlib import Path

from handlers.slack.standin import Ledger, Message
from tests.doubles.anthropic_double import AnthropicDouble, looks_up, says
from tests.doubles.process import run
from tests.doubles.slack import GUS, MAYA, PAYMENTS
from tests.system.conftest import Towns
from tests.system.test_conversation import shown, stands

SECRETS = {  # without the forms by which they could be told: no redaction finds these
    "SLACK_SIGNING_SECRET": "quokkasigning1",
    "ANTHROPIC_API_KEY": "quokkamodel2",
    "PROMETHEUS_TOKEN": "quokkametrics3",
    "DIRECTOR_HOOK_SECRET": "quokkahooks4-0123456789abcdef-0123456789",
    "SLACK_BOT_TOKEN": "xoxb-quokkabot5",
    "SLACK_APP_TOKEN": "xapp-quokkaapp6",
}
COMMANDS = ("status", "review", "digest", "plan list", "plan Move checkout", "schedule list")
PROMETHEUS_SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: search-availability}
spec:
  service: search
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  indicator:
    metadata: {name: search-requests}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'bad'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'all'}}}
  objectives: [{displayName: availability, target: 0.999}]
"""


async def test_secrets_stand_nowhere_and_words_of_people_in_no_log(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(
        database_url=f"sqlite:///{tmp_path}/director.db",
        bot_token=SECRETS["SLACK_BOT_TOKEN"],
        app_token=SECRETS["SLACK_APP_TOKEN"],
        signing_secret=SECRETS["SLACK_SIGNING_SECRET"],
    )
    (tmp_path / "slos" / "search.yaml").write_text(PROMETHEUS_SLO)
    async with AnthropicDouble() as model:
        town.env |= {**SECRETS, "ANTHROPIC_BASE_URL": model.url, "PROMETHEUS_URL": "http://127.0.0.1:1"}
        served = await town.serve(LOG_LEVEL="DEBUG")
        model.script(looks_up("error_budget_status", {}), says("It is quiet, says the zyxowl."))
        asked = await town.standin.say(MAYA, PAYMENTS, "@Director how are the wombats?")
        await town.standin.wait_for(stands(PAYMENTS, asked, "zyxowl"), 15)
        await town.standin.command(MAYA, PAYMENTS, "/director", "plan Feed the wombats")
        await town.standin.wait_for(lambda ledger: any("p1" in shown(one) for one in ledger.by_bot(PAYMENTS)), 15)
        await town.standin.command(MAYA, PAYMENTS, "/director", "status wombats")
        doctor = await run("doctor", cwd=tmp_path, env={**town.env, "LOG_LEVEL": "DEBUG"})
        assert await served.stop() == 0
        said = "".join(request.raw.decode() for request in model.requests)
    stored = _database(tmp_path)
    told = served.log + doctor.out + doctor.err
    assert "wombats" in stored
    assert "wombats" in said
    assert [name for name, secret in SECRETS.items() if secret in told + stored + said] == []
    assert [word for word in ("wombats", "zyxowl") if word in served.log] == []


async def test_a_guest_gets_no_figure_by_any_road(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    slack = town.standin
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        await slack.command(MAYA, PAYMENTS, "/director", "review")
        review = (await slack.wait_for(lambda ledger: ledger.by_bot(PAYMENTS), 20))[0]
        assert "checkout" in shown(review)
        model.script(looks_up("error_budget_status", {}), says("Checkout has {{f1}}, {{f2}}, {{f3}}."))
        await slack.say(GUS, PAYMENTS, "@Director what does this say of checkout?", review.ts)
        await slack.wait_for(lambda ledger: "no figure, no figure, no figure" in _last(ledger, review.ts), 20)
        for words in COMMANDS:
            await slack.command(GUS, PAYMENTS, "/director", words)
        told = await slack.wait_for(lambda ledger: _refusals(ledger.ephemeral(GUS)), 30)
        sent = "".join(request.raw.decode() for request in model.requests)
    assert [text for text in told if "are for members of this workspace" not in text] == []
    assert "checkout" in sent
    figures = set(re.findall(r"\d+\.\d+ ?%", shown(review)))
    assert figures
    assert [figure for figure in figures if figure in sent] == []


def _last(ledger: Ledger, thread: str) -> str:
    return shown(ledger.by_bot(PAYMENTS, thread)[-1])


def _refusals(messages: list[Message]) -> list[str] | None:
    """What was told besides "I am working on it", once every command has its answer."""
    found = [shown(one) for one in messages if "will appear in this channel" not in shown(one)]
    return found if len(found) == len(COMMANDS) else None


def _database(folder: Path) -> str:
    return b"".join(path.read_bytes() for path in folder.glob("director.db*")).decode(errors="replace")
