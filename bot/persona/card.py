"""Agent cards: who an agent is, as Markdown that people write, read into one frozen value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from bot.domain import Value
from bot.errors import UsageError
from bot.persona.markdown import Section, bullets, fenced, paragraphs, read_sections, strip_inline
from bot.yaml_source import Mistake

BUILT_IN = {
    "director": "061-backend-director.md",
    "senior_engineer": "062-backend-senior.md",
    "vp_engineering": "043-vp-engineering.md",
    "principal_architect": "044-principal-architect.md",
}


_NOT_CLOSING = re.compile(r"[-*+|]\s|\d+[.)]\s|you are\b|next agents?\b|escalat|[\w ]{1,25}:", re.IGNORECASE)


class Research(Value):
    """What the agent's judgement stands on, each entry with what it is used for."""

    primary: tuple[str, ...]
    supporting: tuple[str, ...] = ()
    modern: tuple[str, ...] = ()


class Related(Value):
    """Another agent: its full name ("062-development-backend-senior-guardian") and why it is turned to."""

    name: str
    reason: str = ""

    @property
    def agent_id(self) -> str:
        """The number it begins with, "062"; the whole name when there is none."""
        match = re.match(r"\d+", self.name)
        return match[0] if match else self.name


class Card(Value):
    """One agent's charter. `workflow` is the text of its Mermaid flowchart."""

    agent_id: str
    department: str
    role: str
    specialization: str
    opening: str
    research: Research
    responsibilities: tuple[str, ...]
    workflow: str
    next_agents: tuple[Related, ...]
    escalate_to: tuple[Related, ...]
    closing: str


class CardError(UsageError):
    """A card can't be used; the message lists everything that is missing, with file and line."""

    def __init__(self, path: Path | str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"The agent card {path} is not complete:\n{lines}")


def load_card(path: Path) -> Card:
    """Read one card. Raises CardError with everything that is missing."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CardError(path, [Mistake(str(path), "", f"can't be read: {reason}")]) from error
    return _card(text, str(path))


def builtin_cards() -> dict[str, Card]:
    """The cards that come with the Director, by their keys in director.yml (`director`, `senior_engineer`, …)."""
    folder = resources.files(__package__)
    return {key: _card((folder / name).read_text(encoding="utf-8"), name) for key, name in BUILT_IN.items()}


def check_card(path: Path) -> list[Mistake]:
    """Everything that keeps a file from being a card; empty when it is one."""
    try:
        load_card(path)
    except CardError as error:
        return list(error.mistakes)
    return []


@dataclass
class _Reading:
    """A card being read: what is missing is gathered, so that all of it is told at once."""

    path: str
    sections: list[Section]
    mistakes: list[Mistake]

    def missing(self, line: int, key: str, text: str) -> None:
        self.mistakes.append(Mistake(f"{self.path}:{line}", key, text))

    def section(self, *titles: str) -> Section | None:
        return next((one for one in self.sections if any(title in one.title for title in titles)), None)

    def required(self, key: str, *titles: str) -> Section | None:
        found = self.section(*titles)
        if found is None:
            self.missing(1, key, f'the section "## {key}" is missing')
        return found


def _card(text: str, path: str) -> Card:
    reading = _Reading(path=path, sections=read_sections(text), mistakes=[])
    role = reading.required("Your Role", "your role")
    identity = {key: _field(reading, role, key) for key in ("Agent ID", "Department", "Role", "Specialization")}
    card = Card(
        agent_id=identity["Agent ID"],
        department=identity["Department"],
        role=identity["Role"],
        specialization=identity["Specialization"],
        opening=_opening(reading),
        research=_research(reading),
        responsibilities=_responsibilities(reading),
        workflow=_workflow(reading),
        next_agents=_related(reading, "Next Agents", "next agent"),
        escalate_to=_related(reading, "Escalate To", "escalate to", "escalation"),
        closing=_closing(reading),
    )
    if reading.mistakes:
        raise CardError(path, reading.mistakes)
    return card


def _opening(reading: _Reading) -> str:
    for section in reading.sections[:3]:  # before the first heading, or under the title
        for paragraph in paragraphs(section.lines):
            if paragraph.lower().startswith("you are"):
                return paragraph
    reading.missing(1, "opening", 'the opening paragraph that begins with "You are …" is missing')
    return ""


def _field(reading: _Reading, section: Section | None, key: str) -> str:
    if section is None:
        return ""  # told already
    pattern = re.compile(rf"^\W*{re.escape(key)}\W*:\W*(.*)$", re.IGNORECASE)
    for line in section.lines:
        match = pattern.match(strip_inline(line))
        if match and match[1].strip():
            return match[1].strip().rstrip(".")
    reading.missing(section.line, f"Your Role.{key}", f'the line "- **{key}**: …" is missing')
    return ""


def _research(reading: _Reading) -> Research:
    section = reading.required("Research Foundation", "research foundation")
    primary = reading.section("primary research")
    if section is not None and (primary is None or not bullets(primary.lines)):
        reading.missing(section.line, "Research Foundation.Primary Research", "it names no source; list at least one")
    supporting, modern = reading.section("supporting research"), reading.section("modern enhancement")
    return Research(
        primary=bullets(primary.lines) if primary else (),
        supporting=bullets(supporting.lines) if supporting else (),
        modern=bullets(modern.lines) if modern else (),
    )


def _responsibilities(reading: _Reading) -> tuple[str, ...]:
    section = reading.required("Core Responsibilities", "core responsibilities", "responsibilities")
    found = bullets(section.lines) if section else ()
    if section is not None:
        found += tuple(line for child in reading.sections if child.parent is section for line in bullets(child.lines))
        if not found:
            reading.missing(section.line, "Core Responsibilities", "it lists no responsibility; write each as a bullet")
    return found


def _workflow(reading: _Reading) -> str:
    section = reading.required("Agent Workflow", "agent workflow", "workflow")
    text = fenced(section.lines, "mermaid") if section else None
    if section is not None and not text:
        reading.missing(section.line, "Agent Workflow", "its flowchart is missing; write it as a ```mermaid block")
    return text or ""


def _related(reading: _Reading, key: str, *titles: str) -> tuple[Related, ...]:
    relationships = reading.required("Agent Relationships", "agent relationships", "relationships")
    if relationships is None:
        reading.mistakes = list(dict.fromkeys(reading.mistakes))  # told once for both lists
        return ()
    lines = _list_under(reading, relationships, titles)
    if lines is None:
        reading.missing(relationships.line, f"Agent Relationships.{key}", f'"{key}" is missing')
        return ()
    found = tuple(related for line in lines if (related := _agent(line)) is not None)
    if not found:
        reading.missing(relationships.line, f"Agent Relationships.{key}", "it names no agent")
    return found


def _list_under(reading: _Reading, section: Section, titles: Sequence[str]) -> Sequence[str] | None:
    """Entries under a heading of that title, or behind a line "**Title**: …" in the section."""
    heading = reading.section(*titles)
    if heading is not None:
        return bullets(heading.lines)
    found: list[str] | None = None
    for line in section.lines:
        bare = strip_inline(line).strip(" -*+\t")
        if not bare:
            continue
        if bare.lower().startswith(tuple(titles)):
            found = [part for part in (bare.partition(":")[2].strip(),) if part]
        elif found is not None and re.match(r"\s*[-*+]\s|\s*`", line):
            if re.match(r"[-*+]\s+\*\*", line):  # the next list's title
                break
            found.append(bare)
        elif found is not None:
            break
    return found


def _agent(entry: str) -> Related | None:
    match = re.match(r"\W*([\w][\w.-]*)\s*(?:[\(\[]\s*(.*?)\s*[\)\]]|[-–:—]\s+(.*))?\s*\.?$", entry)
    return Related(name=match[1], reason=(match[2] or match[3] or "").strip()) if match else None


def _closing(reading: _Reading) -> str:
    """The last paragraph of prose in the last section, whether set off by a rule or not."""
    last = next((one for one in reversed(reading.sections) if any(line.strip() for line in one.lines)), None)
    prose = [text for text in paragraphs(last.lines) if not _NOT_CLOSING.match(text)] if last else []
    if prose:
        return prose[-1]
    reading.missing(1, "closing", "the closing sentence at the end is missing")
    return ""
