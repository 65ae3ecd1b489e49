"""Manifest, code and Slack's reference say the same."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from handlers.slack import views
from handlers.slack.listeners import COMMAND
from tests.handlers.slack.worlds import MemoryJournal, reply

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data" / "slack"
MANIFEST = ROOT / "manifest.yml"
CODE = sorted((ROOT / "handlers" / "slack").glob("*.py"))
_FAMILIES = "api|apps|assistant|auth|bots|chat|conversations|files|pins|reactions|team|usergroups|users|views"
_METHOD = re.compile(rf"^(?:{_FAMILIES})_[A-Za-z_]+$")
_SDK_ONLY = {"http_verb"}


def read(name):
    return json.loads((DATA / name).read_text())


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load(MANIFEST.read_text())


def calls():
    """Every Web API call in the code: (file, method, names of its arguments)."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _METHOD.match(node.func.attr):
                names = {keyword.arg for keyword in node.keywords if keyword.arg}
                yield path.name, node.func.attr.replace("_", "."), names


def handled_events():
    """What the code listens to by name."""
    found = set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event":
                found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def test_the_manifest_is_valid_by_slacks_schema(manifest):
    schema = read("manifest.schema.2.0.0.json")
    validator = jsonschema.validators.validator_for(schema)(schema)

    assert [error.message for error in validator.iter_errors(manifest)] == []
    assert "agent_view" not in manifest["features"]  # can't be undone, and shuts guests out


def test_every_event_subscribed_is_handled_and_every_event_handled_is_subscribed(manifest):
    subscribed = set(manifest["settings"]["event_subscriptions"]["bot_events"])

    assert subscribed <= set(read("events.json"))
    assert {event.split(".")[0] for event in subscribed} == handled_events()


def test_the_command_is_the_one_that_is_handled(manifest):
    assert [command["command"] for command in manifest["features"]["slash_commands"]] == [COMMAND]
    assert views.PLAN  # the form needs interactivity
    assert manifest["settings"]["interactivity"]["is_enabled"]


def test_every_method_called_exists_and_takes_these_arguments():
    reference = read("methods.json")
    found = list(calls())

    assert {method for _, method, _ in found} == set(yaml.safe_load((DATA / "scopes.yml").read_text()))
    assert [method for _, method, _ in found if method not in reference] == []
    known = {method: {*arguments, "token", *_SDK_ONLY} for method, arguments in reference.items()}
    # the SDK takes the app token under a name of its own
    known["apps.connections.open"].add("app_token")
    assert [(file, method, extra) for file, method, names in found if (extra := names - known[method])] == []


def test_links_are_never_unfurled_for_that_would_fetch_what_a_model_wrote():
    posts = [(file, names) for file, method, names in calls() if method == "chat.postMessage"]

    assert posts
    assert [file for file, names in posts if not {"unfurl_links", "unfurl_media"} <= names] == []


def test_the_scopes_are_those_that_methods_events_and_the_command_need_and_no_others(manifest):
    methods = yaml.safe_load((DATA / "scopes.yml").read_text())
    events = read("events.json")
    needed = {scope for method in {name for _, name, _ in calls()} for scope in methods[method]}
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        needed |= {scope.replace("app_mentions.", "app_mentions:") for scope in events[event]}

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed | {"commands"}


async def test_an_app_installed_by_the_manifest_may_do_all_that_it_does(connect, manifest):
    scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
    events = tuple(manifest["settings"]["event_subscriptions"]["bot_events"])
    world = await connect(listen=True, scopes=scopes, events=events)
    ts, address = await world.asked()
    await world.intake.until(lambda intake: bool(intake.stored))

    await world.edge.person(address.place, "U0MAYA")
    await world.edge.before(address.place, question=f"{float(ts) + 1:.6f}", limit=5)
    await world.edge.channel("#payments")
    delivery = world.edge.delivery(address, MemoryJournal())
    await delivery.status("is thinking …")
    await delivery.finish(reply("fine"))
    await world.edge.delivery(world.address("U0OMAR"), MemoryJournal()).finish(reply("a notice"))
    await world.standin.command("U0MAYA", "#leads", "/director", "plan")
    await world.standin.open_home("U0MAYA")
    await world.standin.wait_for(lambda ledger: ledger.called("views.publish"))

    assert [(call.method, call.error) for call in world.standin.ledger.calls if call.error] == []
