"""Agent cards: the built-in ones, cards of other hands, and what is said of those that are incomplete."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.persona import CardError, Related, builtin_cards, check_card, load_card, system_prompt

OTHER = """\
![portrait](https://example.com/portrait.png)

# 🚀 Data Platform Director ![badge](x.svg)

> *Last updated: never*

You are the **Data Platform Director**, the one who
keeps the pipes clear.

## 🧠 Research Foundation

Some words that introduce it.

### 📚 Primary Research
* *The Data Warehouse Toolkit* (Kimball, 1996): dimensional modelling
  over two lines
* [Designing Data-Intensive Applications](https://example.com) (Kleppmann, 2017)

### Modern Enhancements (2026)
1. Lakehouses

## 👤 Your Role

**Agent ID:** 071
- **Department**: Data
- __Role__: Platform Director
* Specialization: pipelines

## 🎲 Fun Facts
- Likes tea

## ✅ Core Responsibilities

### People
- Lead the teams
### Systems
- Keep data fresh

## Agent Workflow

Some words.

~~~mermaid
graph LR
  # not a heading
  a --> b
~~~

## 🤝 Agent Relationships

**Next Agents**:
- `072-data-senior-guardian` (auto-chained: builds it)
- 073-data-quality [checks it]

**Escalate To**: `043-development-vp-engineering-guardian` (budget)

---

*Clear pipes, clear minds.*
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "card.md"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("key", "agent_id", "next_agent", "escalations"),
    [
        ("director", "061", "062", ("043", "044")),
        ("senior_engineer", "062", "061", ("061",)),
        ("vp_engineering", "043", "061", ("chief-technology-officer",)),
        ("principal_architect", "044", "061", ("043",)),
    ],
)
def test_the_built_in_cards_are_whole(key: str, agent_id: str, next_agent: str, escalations: tuple[str, ...]) -> None:
    card = builtin_cards()[key]
    assert (card.agent_id, card.department) == (agent_id, "Development")
    assert [related.agent_id for related in card.next_agents] == [next_agent]
    assert tuple(related.agent_id for related in card.escalate_to) == escalations
    assert card.workflow.startswith("flowchart")


def test_the_directors_charter_holds_what_it_stands_on() -> None:
    card = builtin_cards()["director"]
    assert card.role == "Backend Director"
    assert card.specialization == "backend architecture, team management, system reliability"
    titles = [entry.split(" (")[0].split(":")[0] for entry in card.research.primary]
    assert titles == ["The Mythical Man-Month", "Release It!", "Site Reliability Engineering"]
    assert len(card.responsibilities) == 7
    assert card.next_agents[0] == Related(
        name="062-development-backend-senior-guardian",
        reason="auto-chained: leads the implementation of a specific project or service",
    )


def test_a_card_of_another_hand_is_read(tmp_path: Path) -> None:
    card = load_card(written(tmp_path, OTHER))
    assert card.model_dump() == {
        "agent_id": "071",
        "department": "Data",
        "role": "Platform Director",
        "specialization": "pipelines",
        "opening": "You are the Data Platform Director, the one who keeps the pipes clear.",
        "research": {
            "primary": (
                "The Data Warehouse Toolkit (Kimball, 1996): dimensional modelling over two lines",
                "Designing Data-Intensive Applications (Kleppmann, 2017)",
            ),
            "supporting": (),
            "modern": ("Lakehouses",),
        },
        "responsibilities": ("Lead the teams", "Keep data fresh"),
        "workflow": "graph LR\n  # not a heading\n  a --> b",
        "next_agents": (
            {"name": "072-data-senior-guardian", "reason": "auto-chained: builds it"},
            {"name": "073-data-quality", "reason": "checks it"},
        ),
        "escalate_to": ({"name": "043-development-vp-engineering-guardian", "reason": "budget"},),
        "closing": "Clear pipes, clear minds.",
    }


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    path.write_bytes(b"\xef\xbb\xbf" + OTHER.replace("\n", "\r\n").encode())
    assert load_card(path) == load_card(written(tmp_path, OTHER))


def test_an_empty_card_is_told_everything_that_is_missing_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "# Nothing here\n")
    assert [str(mistake) for mistake in check_card(path)] == [
        f'{path}:1: Your Role: the section "## Your Role" is missing',
        f'{path}:1: opening: the opening paragraph that begins with "You are …" is missing',
        f'{path}:1: Research Foundation: the section "## Research Foundation" is missing',
        f'{path}:1: Core Responsibilities: the section "## Core Responsibilities" is missing',
        f'{path}:1: Agent Workflow: the section "## Agent Workflow" is missing',
        f'{path}:1: Agent Relationships: the section "## Agent Relationships" is missing',
        f"{path}:1: closing: the closing sentence at the end is missing",
    ]


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ("**Agent ID:** 071\n", '22: Your Role.Agent ID: the line "- **Agent ID**: …" is missing'),
        (
            "* Specialization: pipelines\n",
            '22: Your Role.Specialization: the line "- **Specialization**: …" is missing',
        ),
        ("- Lead the teams\n", None),
        ("mermaid\n", "39: Agent Workflow: its flowchart is missing; write it as a ```mermaid block"),
        (
            "**Escalate To**: `043-development-vp-engineering-guardian` (budget)\n",
            'Escalate To: "Escalate To" is missing',
        ),
        ("\n*Clear pipes, clear minds.*\n", "1: closing: the closing sentence at the end is missing"),
        ("### 📚 Primary Research\n", "Research Foundation.Primary Research: it names no source; list at least one"),
    ],
)
def test_each_missing_piece_is_named_with_its_line(cut: str, told: str | None, tmp_path: Path) -> None:
    assert cut in OTHER
    mistakes = [
        str(mistake) for mistake in check_card(written(tmp_path, OTHER.replace(cut, "" if cut[0] != "m" else "\n", 1)))
    ]
    if told is None:
        assert mistakes == []
    else:
        assert len(mistakes) == 1
        assert mistakes[0].endswith(told)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardError) as caught:
        load_card(tmp_path / "none.md")
    assert str(caught.value) == (
        f"The agent card {tmp_path}/none.md is not complete:\n"
        f"  {tmp_path}/none.md: can't be read: No such file or directory"
    )
    assert caught.value.exit_code == 2


def test_the_prompt_is_the_same_bytes_every_time_and_holds_the_charter() -> None:
    prompts = {system_prompt(builtin_cards()["director"], workspace="acme") for _ in range(3)}
    assert len(prompts) == 1
    prompt = prompts.pop()
    card = builtin_cards()["director"]
    for words in (card.opening, *card.responsibilities, card.workflow, card.closing, "You work at acme.", "{{f3}}"):
        assert words in prompt


def test_any_card_makes_a_prompt(tmp_path: Path) -> None:
    assert "You are agent 071, Platform Director" in system_prompt(load_card(written(tmp_path, OTHER)))
