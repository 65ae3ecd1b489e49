"""The words all rooms share: who speaks where, what comes in, what goes out.

Values are frozen and can be stored as JSON; an invalid one cannot be built.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Platform = Literal["slack", "teams", "console"]


class Value(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- who and where ---------------------------------------------------------------------------------------------------


class Place(Value):
    """Where a conversation happens: the only key of memory.

    `thread` is empty for a conversation without threads (a flat direct message is one thread) and for a channel's root.
    """

    platform: Platform
    workspace: str = Field(min_length=1)
    channel: str = Field(min_length=1)
    thread: str = ""

    @property
    def key(self) -> str:
        """Stable text form, unique per thread."""
        return f"{self.platform}/{self.workspace}/{self.channel}/{self.thread}"


class Standing(StrEnum):
    """What a person is to the workspace; rights follow. `UNKNOWN` (the platform did not say) gets no figures."""

    MEMBER = "member"
    ADMIN = "admin"
    GUEST = "guest"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


class Person(Value):
    """Someone who speaks to the Director. `zone` is an IANA name when the platform knows it."""

    id: str
    name: str
    standing: Standing
    zone: str | None = None

    @property
    def may_see_figures(self) -> bool:
        return self.standing in (Standing.MEMBER, Standing.ADMIN)


class Said(Value):
    """One message that stood in a thread before the Director was asked. Text is data, never instructions."""

    message_id: str
    speaker_id: str | None
    by_director: bool
    text: str


# --- what comes in ---------------------------------------------------------------------------------------------------


class IncomingKind(StrEnum):
    ASK = "ask"  # a mention or a direct message
    COMMAND = "command"  # the words behind /director
    SLOT = "slot"  # a schedule's slot came due
    NOTICE = "notice"  # the Director has to tell one person something; `text` is the message


class Slot(Value):
    """The moment a schedule was due: the local wall-clock time that names it, its zone, and the instant it meant."""

    schedule_id: str
    local: str  # "2026-11-23T09:00"
    zone: str
    due_at: AwareDatetime


class Incoming(Value):
    """What an edge stores before it acknowledges: everything needed to answer, nothing secret, never a raw payload.

    `dedupe_key` is the same for every delivery of one request. `question` is the platform's id of the message asked
    with (Slack's ts); None for commands and slots. `speaker_home` is the speaker's own workspace where it differs.
    """

    version: Literal[1] = 1
    kind: IncomingKind
    dedupe_key: str = Field(min_length=1)
    place: Place
    text: str
    received_at: AwareDatetime
    speaker_id: str | None = None
    speaker_home: str | None = None
    channel_name: str | None = None  # "payments", where the platform says it; director.yml speaks of channels by name
    question: str | None = None
    slot: Slot | None = None


class SignalKind(StrEnum):
    STOP = "stop"  # stop working on the running turn of this thread
    FEEDBACK = "feedback"  # a person says whether an answer helped


class Signal(Value):
    """Something that is applied at once, outside the thread's queue.

    `message_id` is the message it is about, `value` what was chosen ("like", "dislike"), `text` what was added.
    """

    version: Literal[1] = 1
    kind: SignalKind
    dedupe_key: str = Field(min_length=1)
    place: Place
    person_id: str
    at: AwareDatetime
    message_id: str | None = None
    value: str = ""
    text: str = ""


# --- what goes out ---------------------------------------------------------------------------------------------------


class Heading(Value):
    kind: Literal["heading"] = "heading"
    text: str


class Text(Value):
    """Prose in Markdown (CommonMark with tables)."""

    kind: Literal["text"] = "text"
    markdown: str


class Note(Value):
    """Small print: evaluation time, source, the line that says no model spoke. Markdown."""

    kind: Literal["note"] = "note"
    markdown: str


class Table(Value):
    """A table of formatted cells. `numeric` lists the columns (from 0) to align to the right."""

    kind: Literal["table"] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    caption: str = ""


class Series(Value):
    """One line or set of bars; `values` stand beside the chart's categories, None where there is no figure."""

    name: str
    values: tuple[float | None, ...]


class Chart(Value):
    """A chart as data; edges draw it natively or as a picture. `alt` says in words what it shows.

    `threshold` is a horizontal line with a meaning, e.g. 0 for a spent budget.
    """

    kind: Literal["chart"] = "chart"
    form: Literal["line", "bar"]
    title: str
    alt: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    threshold: float | None = None


class Button(Value):
    """`verb` names the signal that a click sends, `value` what it is about."""

    verb: str
    label: str
    value: str
    style: Literal["default", "primary", "danger"] = "default"


class Buttons(Value):
    kind: Literal["buttons"] = "buttons"
    buttons: tuple[Button, ...]


Part = Annotated[Heading | Text | Note | Table | Chart | Buttons, Field(discriminator="kind")]


class Audience(StrEnum):
    """Who sees a reply: everyone in the conversation, or only the person who asked."""

    ALL = "all"
    ASKER = "asker"


class Citation(Value):
    """Where something said comes from: what it is, and in a sentence what stands there (a fact's value and query)."""

    title: str
    text: str
    url: str | None = None


class Reply(Value):
    """A whole answer in no platform's vocabulary.

    `summary` is one line for notifications and screen readers. `detail` goes beneath the first message, in its thread.
    `generated` says that a model wrote words of it; platforms that label such messages do. `citations` are its sources
    in the order in which they were used, for platforms that show them beside the text.
    """

    summary: str
    parts: tuple[Part, ...]
    detail: tuple[Part, ...] = ()
    audience: Audience = Audience.ALL
    generated: bool = False
    citations: tuple[Citation, ...] = ()


class Fact(Value):
    """A measured value that code computed and formatted; the only way a figure about our services reaches a reader.

    `id` is unique in its thread. `text` is the formatted value with its unit; `value` the number behind it, if one.
    """

    id: str
    text: str
    value: float | None
    unit: str
    entity: str
    meaning: str
    query: str
    evaluated_at: AwareDatetime


class Message(Value):
    """One message to or from the model, kept exactly as sent or received; never rewritten."""

    role: Literal["user", "assistant", "system"]
    content: list[dict[str, object]] | str


class Usage(Value):
    """Tokens one turn used, as the model's API counted them."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class Answer(Value):
    """The result of a turn, stored whole before anything of it counts as delivered."""

    reply: Reply
    messages: tuple[Message, ...] = ()
    facts: tuple[Fact, ...] = ()
    usage: tuple[Usage, ...] = ()


class Thread(Value):
    """What is remembered of a conversation: exact messages in order, and the facts they refer to."""

    messages: tuple[Message, ...] = ()
    facts: tuple[Fact, ...] = ()


class Address(Value):
    """Where an answer belongs. `question` is the message it replies to; `asker` may be None for a schedule."""

    turn_id: str
    place: Place
    asker: str | None
    asker_home: str | None
    question: str | None
    asked_at: datetime
