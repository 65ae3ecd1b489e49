"""Messages as Teams takes them."""

from __future__ import annotations

from bot.domain import Citation, Heading
from handlers.teams.activity import REPEATED, draft, final, informative, message, repeated, streaming, typing
from handlers.teams.render import Post

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": []}
SHOWN = {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}


def sent(activity):
    return activity.model_dump(mode="json", by_alias=True, exclude_none=True)


def post(text="", **more):
    return Post(summary="Checkout is fine.", text=text, parts=more.pop("parts", ()), **more)


def test_text_is_markdown_and_says_that_it_has_no_card():
    assert sent(message(post("**fine**"), None)) == {
        "type": "message",
        "text": "**fine**",
        "textFormat": "markdown",
        "attachments": [],
    }


def test_a_card_has_a_line_for_notifications():
    assert sent(message(post(parts=(Heading(text="x"),)), CARD)) == {
        "type": "message",
        "summary": "Checkout is fine.",
        "attachments": [SHOWN],
    }


def test_the_words_of_a_model_are_labelled_with_their_sources_in_one_entity():
    cited = message(post("fine", generated=True, citations=(Citation(title="checkout", text="62 %"),)), None)

    assert sent(cited) == {
        "type": "message",
        "text": "fine [1]",
        "textFormat": "markdown",
        "attachments": [],
        "channelData": {"feedbackLoop": {"type": "default"}},
        "entities": [
            {
                "type": "https://schema.org/Message",
                "@type": "Message",
                "@context": "https://schema.org",
                "@id": "",
                "additionalType": ["AIGeneratedContent"],
                "citation": [
                    {
                        "@type": "Claim",
                        "position": 1,
                        "appearance": {
                            "@type": "DigitalDocument",
                            "name": "checkout",
                            "abstract": "62 %",
                            "encodingFormat": "application/vnd.microsoft.card.adaptive",
                        },
                    }
                ],
            }
        ],
    }


def test_sources_without_words_of_their_own_are_named_as_such():
    assert message(post(citations=(Citation(title="a", text="b"),)), None).text == "Sources: [1]"


def test_long_sources_are_cut_as_teams_counts_and_no_more_than_it_shows_are_sent():
    wide = Citation(title="😀" * 60, text="line\nafter\tline " * 30)
    made = sent(message(post("x", citations=(wide,) * 25), None))

    claims = made["entities"][0]["citation"]
    name, abstract = claims[0]["appearance"]["name"], claims[0]["appearance"]["abstract"]
    assert len(claims) == 20
    assert made["text"].endswith("[19][20]")
    assert (name, len(abstract)) == ("😀" * 39 + "…", 160)
    assert "\n" not in abstract


def test_a_repetition_says_so_in_its_text_or_on_its_card():
    assert repeated(post("fine")).text == f"fine\n\n{REPEATED}"
    assert [part.kind for part in repeated(post(parts=(Heading(text="x"),))).parts] == ["heading", "note"]


def test_a_stream_is_a_line_its_growing_text_and_an_end():
    line = sent(informative("looks up …", None, 1))
    step = sent(streaming("It is", "17", 2))
    end = sent(final(message(post("It is fine."), None), "17"))

    assert (line["type"], line["text"]) == ("typing", "looks up …")
    assert line["entities"] == [{"type": "streaminfo", "streamType": "informative", "streamSequence": 1}]
    assert (step["id"], step["text"]) == ("17", "It is")
    assert step["entities"] == [
        {"type": "streaminfo", "streamId": "17", "streamType": "streaming", "streamSequence": 2}
    ]
    assert (end["type"], end["text"], end["id"]) == ("message", "It is fine.", "17")
    assert end["entities"] == [{"type": "streaminfo", "streamId": "17", "streamType": "final"}]
    assert len(informative("x" * 2_000, None, 1).text) == 1_000


def test_a_draft_is_a_card_or_text_never_both_and_a_typing_sign_is_nothing():
    assert sent(draft("so far", CARD, "Working")) == {"type": "message", "summary": "Working", "attachments": [SHOWN]}
    assert sent(draft("so far", None, "Working")) == {
        "type": "message",
        "text": "so far",
        "textFormat": "markdown",
        "attachments": [],
    }
    assert sent(typing()) == {"type": "typing"}
