"""What activities mean, and the words in them: every field may be missing, odd, or somebody's joke."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import Review, Schedule, parse, parse_mention
from bot.domain import Place
from bot.references import ConversationReference
from handlers.teams.meaning import (
    Added,
    Clicked,
    Judged,
    Meaning,
    Removed,
    Said,
    Unasked,
    UnknownInvoke,
    Unreadable,
    meaning,
)
from handlers.teams.origin import Origin, tenant_of
from handlers.teams.words import Mention, plain_words

ME = "28:bot"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
CHANNEL = "19:payments@thread.tacv2"
TEAM = "19:team@thread.tacv2"
URL = "https://smba.example/emea/"


def activity(kind: str = "message", **more: Any) -> dict[str, Any]:
    """A message in a personal chat, with `more` laid over it."""
    built: dict[str, Any] = {
        "type": kind,
        "id": "17",
        "serviceUrl": URL,
        "channelId": "msteams",
        "from": {"id": "29:maya", "name": "Maya", "aadObjectId": "maya-object"},
        "recipient": {"id": ME, "name": "Director"},
        "conversation": {"id": "a:1maya", "conversationType": "personal", "tenantId": TENANT},
        "channelData": {"tenant": {"id": TENANT}},
        "text": "hello",
    }
    return {name: value for name, value in {**built, **more}.items() if value is not None}


def in_channel(kind: str = "message", *, root: str = "16", data: Mapping[str, Any] | None = None, **more: Any) -> Any:
    thread = f";messageid={root}" if root else ""
    conversation = {"id": CHANNEL + thread, "conversationType": "channel", "tenantId": TENANT, "isGroup": True}
    known = {"tenant": {"id": TENANT}, "team": {"id": TEAM}, "channel": {"id": CHANNEL}}
    return activity(kind, conversation=conversation, channelData={**known, **(data or {})}, **more)


def mention(of: str = ME, name: str = "Director", text: str | None = None) -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": of, "name": name}, "text": text or f"<at>{name}</at>"}


PERSONAL = Origin(
    tenant=TENANT,
    service_url=URL,
    address="a:1maya",
    conversation="a:1maya",
    thread="",
    kind="personal",
    activity="17",
    person="maya-object",
    home=None,
    team=None,
    channel_name="",
)
IN_CHANNEL = Origin(
    tenant=TENANT,
    service_url=URL,
    address=f"{CHANNEL};messageid=16",
    conversation=CHANNEL,
    thread="16",
    kind="channel",
    activity="17",
    person="maya-object",
    home=None,
    team=TEAM,
    channel_name="",
)


def read(body: Mapping[str, Any]) -> Meaning:
    return meaning(body, me=ME)


# --- the words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<at>Director</at> how is checkout?", "how is checkout?"),
        ("<at>Director</at>&nbsp;how is checkout?", "how is checkout?"),
        ("<at>Director</at>, how is checkout?", "how is checkout?"),
        ("<at>Director</at>: review", "review"),
        ("  <at>Director</at>\xa0 schedule\xa0list", "schedule list"),
        ("how is checkout, <at>Director</at>?", "how is checkout?"),
        ("review for checkout, <at>Director</at>", "review for checkout"),
        ("Hey <at>Director</at>, how is it", "Hey, how is it"),
        ("hey <at>Director</at> how is it", "hey how is it"),
        ("<at>Director</at> review <at>Director</at>", "review"),
        ("<at>Director</at>\nplan\nMove checkout", "plan\nMove checkout"),
        ('<at id="0">Director</at> hi', "hi"),
        ("<AT>Director</AT> hi", "hi"),
        ("<at>Director</at> ask <at>Omar Haddad</at> about it", "ask @Omar Haddad about it"),
        ("<at>Director</at> post in <at>Site Reliability</at>", "post in #site-reliability"),
        ("a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#39; &#x41;", "a <b> &amp; \"c\" 'd' A"),
        ("?a=1&copy=2&lt=3 & so on", "?a=1&copy=2&lt=3 & so on"),
        ("List<int> and <b>bold</b> stay", "List<int> and <b>bold</b> stay"),
        ("one<br>two<br/>three\r\nfour\rfive\u2028six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("thin\u202fand\u3000wide", "thin and wide"),
        ("bell\x07 tag\U000e0041 mark\u202e half\ud800 zero\u200bwidth", "bell tag mark half zerowidth"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ('<quoted messageId="1772050244572"/> and why?', "and why?"),
        ("unclosed <at>Director", "unclosed <at>Director"),
        ("", ""),
    ],
)
def test_text_becomes_the_plain_words(text, words):
    mentions = [
        Mention(ME, "Director", "<at>Director</at>"),
        Mention(ME, "Director", "<at>Director</at>"),
        Mention("29:omar", "Omar Haddad", "<at>Omar Haddad</at>"),
        Mention("19:sre@thread.tacv2", "Site Reliability", "<at>Site Reliability</at>"),
    ]
    assert plain_words(text, mentions, me=(ME,)) == words


def test_a_person_of_the_directors_name_stays_in_the_words():
    mentions = [Mention(ME, "Director", "<at>Director</at>"), Mention("29:x", "Director", "<at>Director</at>")]

    assert plain_words("<at>Director</at> ask <at>Director</at>", mentions, me=(ME,)) == "ask @Director"
    assert plain_words("<at>Director</at> ask <at>Director</at>", mentions[::-1], me=(ME,)) == "@Director ask"


def test_rich_text_loses_its_markup_and_keeps_its_lines():
    text = "<div><p><at>Director</at> <b>plan</b> it</p><p>with &lt;care&gt;</p></div>"

    words = plain_words(text, [Mention(ME, "Director", "<at>Director</at>")], me=(ME,), rich=True)

    assert words == "plan it\nwith <care>"


def test_lists_tables_code_and_emoji_of_rich_text_can_be_read():
    text = (
        "<p>look:</p><ul><li>one</li><li>two</li></ul>"
        "<table><tr><th>service</th><th>left</th></tr><tr><td>checkout</td><td>50</td></tr></table>"
        '<pre><code>if a &lt; b:\n  c()</code></pre><p>fine <emoji alt="\U0001f44d" title="Yes"></emoji></p>'
    )

    words = plain_words(text, [], me=(ME,), rich=True)

    assert words == ("look:\n- one\n- two\nservice | left\ncheckout | 50\nif a < b:\n  c()\nfine \U0001f44d")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("<at>Director</at>\xa0review\xa0for\xa0checkout", Review(("checkout",))),
        (
            "<at>Director</at>&nbsp;schedule&nbsp;review every monday 09:00",
            Schedule("review every monday 09:00"),
        ),
        ("<at>Director</at> /director review", Review(())),
    ],
)
def test_commands_are_commands_across_odd_blanks(text, command):
    said = read(in_channel(text=text, entities=[mention()]))

    assert isinstance(said, Said)
    assert parse_mention(said.text) == command


@pytest.mark.parametrize(
    "text",
    ["review for checkout", "/director review for checkout", "director review for checkout", "/review for checkout"],
)
def test_a_slash_command_is_its_words_however_teams_sends_it(text):
    said = read(in_channel(text=text, root="", recipient={"id": ME, "isTargeted": True}))

    assert isinstance(said, Said)
    assert (said.command, parse(said.text), said.origin.thread) == (True, Review(("checkout",)), "")


def test_words_that_take_ages_for_a_careless_pattern_take_no_time():
    for text in ("<at>" * 100_000, " " * 400_000 + "x", "<at>a</at>" * 30_000, "<" * 300_000, "&" * 300_000):
        plain_words(text, [], me=(ME,))


# --- messages --------------------------------------------------------------------------------------------------------


def test_a_personal_message_is_for_the_director():
    assert read(activity()) == Said(PERSONAL, "hello", command=False)


def test_a_mention_in_a_channel_is_for_the_director_and_plain_talk_is_not():
    asked = in_channel(text="<at>Director</at> hi", entities=[mention()])

    assert read(asked) == Said(IN_CHANNEL, "hi", command=False)
    assert read(in_channel(text="hi")) == Unasked(IN_CHANNEL)
    assert read(in_channel(text="<at>Omar</at> hi", entities=[mention("29:omar", "Omar")])) == Unasked(IN_CHANNEL)


def test_a_message_in_a_channel_that_names_no_root_is_one():
    said = read(in_channel(root="", text="<at>Director</at> hi", entities=[mention()]))

    assert isinstance(said, Said)
    assert said.origin.thread == "17"


def test_the_director_is_who_the_activity_is_addressed_to():
    asked = in_channel(
        text="<at>Test Bot</at> hi",
        entities=[mention("playground-bot", "Test Bot")],
        recipient={"id": "playground-bot"},
    )

    assert read(asked) == Said(IN_CHANNEL, "hi", command=False)


def test_a_channels_name_is_known_where_teams_says_it():
    named = in_channel(text="hi", data={"channel": {"id": CHANNEL, "name": "Site Reliability"}})
    other = in_channel(text="hi", data={"channel": {"id": "19:other@thread.tacv2", "name": "Other"}})
    general = activity(
        conversation={"id": f"{TEAM};messageid=16", "conversationType": "channel", "tenantId": TENANT},
        channelData={"team": {"id": TEAM}, "channel": {"id": TEAM}},
    )

    assert [read(body).origin.channel_name for body in (named, other, general)] == ["site-reliability", "", "general"]


@pytest.mark.parametrize(
    ("conversation", "kind", "thread"),
    [
        ({"id": "a:1", "conversationType": "personal"}, "personal", ""),
        ({"id": "a:1"}, "personal", ""),
        ({"id": "19:x@thread.v2", "conversationType": "groupChat", "isGroup": True}, "group", ""),
        ({"id": "19:x@thread.v2;messageid=4", "conversationType": "groupChat"}, "group", ""),
        ({"id": "19:x@thread.v2"}, "group", ""),
        ({"id": "x", "isGroup": True}, "group", ""),
        ({"id": "x", "conversationType": "meeting"}, "group", ""),
        ({"id": "x;messageid=4", "conversationType": "channel"}, "channel", "4"),
        ({"id": "19:x@thread.tacv2;messageid=4"}, "channel", "4"),
        ({"id": "19:x@thread.tacv2", "conversationType": 5}, "channel", ""),
    ],
)
def test_the_kind_of_conversation_is_told_apart(conversation, kind, thread):
    origin = read(activity("typing", conversation={"tenantId": TENANT, **conversation})).origin

    assert (origin.kind, origin.thread, origin.conversation) == (kind, thread, conversation["id"].partition(";")[0])


def test_an_origin_is_a_place_a_key_and_a_reference():
    origin = read(in_channel(data={"channel": {"id": CHANNEL, "name": "Payments"}})).origin

    assert origin.place == Place(platform="teams", workspace=TENANT, channel=CHANNEL, thread="16")
    assert origin.key == f"teams:{TENANT}:{CHANNEL};messageid=16:17"
    assert origin.reference(NOW) == ConversationReference(
        platform="teams",
        workspace=TENANT,
        conversation=CHANNEL,
        kind="channel",
        service_url=URL,
        name="payments",
        team_id=TEAM,
        known_at=NOW,
    )
    assert PERSONAL.reference(NOW).person_id == "maya-object"


def test_a_message_that_is_empty_but_for_a_file_is_still_said():
    file = {"contentType": "application/vnd.microsoft.teams.file.download.info", "name": "plan.pdf"}

    assert read(activity(text="", attachments=[file])) == Said(PERSONAL, "", command=False)


@pytest.mark.parametrize("lacking", [{"id": None}, {"id": "x" * 501}, {"id": "a\x00b"}, {"from": None}, {"from": [1]}])
def test_a_message_without_what_makes_it_one_is_unreadable(lacking):
    with pytest.raises(Unreadable):
        read(activity(**lacking))


# --- clicks, coming and going ----------------------------------------------------------------------------------------


def test_a_submitted_button_is_a_click_that_waits_for_no_words():
    submitted = activity(text=None, value={"action": "stop", "value": "t1"}, replyToId="9")

    assert read(submitted) == Clicked(PERSONAL, "stop", "t1", "9", answered=False)
    assert read(activity(text=None, value={"other": 1})) == Unasked(PERSONAL)
    assert read(activity(text="hi", value={"verb": "stop"})) == Said(PERSONAL, "hi", command=False)


def test_an_executed_button_is_a_click_that_waits_for_words():
    value = {"action": {"type": "Action.Execute", "verb": "stop", "data": {"value": "t1"}}}
    odd = [{"name": "adaptiveCard/action"}, {"name": "adaptiveCard/action", "value": {"action": [1]}}]

    clicked = read(activity("invoke", name="adaptiveCard/action", value=value, replyToId="9"))

    assert clicked == Clicked(PERSONAL, "stop", "t1", "9", answered=True)
    assert [read(activity("invoke", **more)) for more in odd] == [Clicked(PERSONAL, "", "", "", answered=True)] * 2


def test_feedback_is_a_verdict_on_a_message():
    value = {
        "actionName": "feedback",
        "actionValue": {"reaction": "like", "feedback": '{"feedbackText": " good\\u0000 "}'},
    }

    judged = read(activity("invoke", name="message/submitAction", value=value, replyToId="9"))

    assert judged == Judged(PERSONAL, "9", "like", "good")


def test_what_else_is_invoked_is_nobodys():
    assert read(activity("invoke", name="task/fetch")) == UnknownInvoke(PERSONAL, "task/fetch")
    assert read({"type": "invoke"}) == UnknownInvoke(None, "")


US, SOMEONE = [{"id": ME}], [{"id": "29:omar"}]
TEAM_DATA = {"eventType": "teamMemberRemoved"}


@pytest.mark.parametrize(
    ("body", "means"),
    [
        (activity("conversationUpdate", membersAdded=SOMEONE + US), ("added", "a:1maya", True)),
        (activity("conversationUpdate", membersAdded=SOMEONE), ("unasked", "a:1maya", None)),
        (activity("conversationUpdate", membersRemoved=US), ("removed", "a:1maya", None)),
        (activity("installationUpdate", action="add"), ("added", "a:1maya", True)),
        (activity("installationUpdate", action="add-upgrade"), ("added", "a:1maya", False)),
        (activity("installationUpdate", action="remove"), ("removed", "a:1maya", None)),
        (in_channel("conversationUpdate", root="", membersAdded=US), ("added", CHANNEL, False)),
        (in_channel("conversationUpdate", root="", membersRemoved=US, data=TEAM_DATA), ("removed", TEAM, None)),
        (in_channel("installationUpdate", root="", action="add"), ("added", CHANNEL, False)),
        (in_channel("installationUpdate", root="", action="remove"), ("removed", TEAM, None)),
        (
            in_channel("conversationUpdate", root="", membersRemoved=US, data={"eventType": "channelMemberRemoved"}),
            ("removed", CHANNEL, None),
        ),
        (
            in_channel(
                "conversationUpdate",
                data={"eventType": "channelCreated", "channel": {"id": "19:new", "name": "New One"}},
            ),
            ("added", "19:new", False),
        ),
        (
            in_channel("conversationUpdate", data={"eventType": "channelDeleted", "channel": {"id": "19:old"}}),
            ("removed", "19:old", None),
        ),
        (in_channel("conversationUpdate", data={"eventType": "teamDeleted"}), ("removed", TEAM, None)),
        (in_channel("conversationUpdate", data={"eventType": "teamRenamed"}), ("unasked", CHANNEL, None)),
    ],
)
def test_coming_and_going_is_told_apart(body, means):
    match read(body):
        case Added(origin, greets):
            found: tuple[str, str, bool | None] = ("added", origin.conversation, greets)
        case Removed(_, conversation):
            found = ("removed", conversation, None)
        case Unasked(origin):
            assert origin is not None
            found = ("unasked", origin.conversation, None)
        case other:
            pytest.fail(str(other))
    assert found == means


def test_a_channel_that_is_made_or_renamed_has_its_name():
    renamed = in_channel(
        "conversationUpdate", data={"eventType": "channelRenamed", "channel": {"id": "19:new", "name": "New One"}}
    )

    assert read(renamed).origin.reference(NOW).name == "new-one"


def test_what_is_half_of_an_upgrade_says_nothing():
    assert read(activity("installationUpdate", action="remove-upgrade")) == Unasked(None)


# --- whatever comes --------------------------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),  # also halves of characters
    st.sampled_from(
        ["message", "invoke", "personal", "channel", ME, "19:x@thread.tacv2;messageid=1", "x" * 600, "\x00"]
    ),
)
GARBAGE = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)),
    max_leaves=12,
)
KNOWN = (
    *("type", "id", "serviceUrl", "from", "recipient", "conversation", "channelData", "text", "textFormat", "entities"),
    *("value", "name", "action", "replyToId", "membersAdded", "membersRemoved", "attachments", "localTimezone"),
)
TYPES = ["message", "invoke", "conversationUpdate", "installationUpdate", "event", "messageUpdate"]


def means_something(body: Mapping[str, Any]) -> None:
    """What is read can be stored: it has a place, a key and a reference, and every word of it is text."""
    tenant_of(body)
    try:
        found = read(body)
    except Unreadable:
        return
    assert isinstance(found, get_args(Meaning))
    if found.origin is not None:
        f"{found.origin.place.key}{found.origin.key}".encode()
        found.origin.reference(NOW).model_dump_json()
    if isinstance(found, Said):
        found.text.encode()
        assert "\x00" not in found.text


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(KNOWN), GARBAGE))
def test_garbage_is_read_as_something_or_as_unreadable(body):
    means_something(body)


@st.composite
def odd_activities(draw: st.DrawFn) -> dict[str, Any]:
    """A sound activity in which some fields, however deep, hold something else or are gone."""
    body = draw(st.sampled_from([activity, in_channel]))(
        draw(st.sampled_from(TYPES)),
        text="<at>Director</at> hi",
        entities=[mention()],
        name=draw(st.sampled_from(["adaptiveCard/action", "message/submitAction", "task/fetch"])),
        value={"action": {"verb": "stop", "data": {}}, "actionName": "feedback", "actionValue": {"reaction": "like"}},
        membersAdded=[{"id": ME}],
    )
    for _ in range(draw(st.integers(1, 3))):
        spot: Any = body
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(spot[key], dict | list) and draw(st.booleans()):
                spot[key] = spot = spot[key].copy()
                continue
            if isinstance(spot, dict) and draw(st.booleans()):
                del spot[key]
            else:
                spot[key] = draw(GARBAGE)
            break
    return body


@settings(max_examples=500, deadline=None)
@given(odd_activities())
def test_an_activity_with_something_odd_in_it_is_read_all_the_same(body):
    means_something(body)
