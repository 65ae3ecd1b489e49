"""What the commands need from the composition root; nothing here is imported while `--help` is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from bot.domain import Place, Reply
    from bot.feedback import FeedbackLog
    from bot.planning import Planning
    from bot.planning.store import PlanStore
    from bot.ports import Chat, Inbox, Intake
    from bot.reliability import Reliability
    from bot.reliability.deploys import DeployLog
    from bot.reliability.hours import HourStore
    from bot.reliability.issued import IssuedReviews
    from bot.schedules import ScheduleStore
    from bot.settings import Settings

Room = Literal["database", "slack", "teams", "metrics", "model"]


class Store(Protocol):
    """An open database. Everything but `migrate` expects the current schema."""

    @property
    def inbox(self) -> Inbox: ...

    @property
    def plans(self) -> PlanStore: ...

    @property
    def schedules(self) -> ScheduleStore: ...

    @property
    def feedback(self) -> FeedbackLog: ...

    def hours(self, workspace: str) -> HourStore: ...

    def issued(self, workspace: str) -> IssuedReviews: ...

    def deploys(self, workspace: str) -> DeployLog: ...


class Posting(Protocol):
    """The chat platform, as the command line uses it: root messages in channels."""

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        """The channel's place (thread "") and its name with `#`. Raises UsageError when there is no such channel."""
        ...

    async def post(self, place: Place, reply: Reply) -> str:
        """Post a whole reply as a root message and return its id. Raises CannotPost or Unreachable."""
        ...


class Wiring(Protocol):
    """The composition root as the commands see it.

    Context managers open what they give and close it again. Whatever can't be opened raises a DirectorError whose
    message says what to do; settings that are missing (no metrics, no chat) raise UsageError.
    """

    def now(self) -> datetime: ...

    def settings(self) -> Settings:
        """Environment and director.yml. Raises SettingsError with every mistake."""
        ...

    def store(self, settings: Settings) -> AbstractAsyncContextManager[Store]:
        """The database with the current schema (migrated when it is new or older)."""
        ...

    async def migrate(self, settings: Settings) -> tuple[str | None, str]:
        """Bring the database to the current schema; (revision before, None for an empty database; revision now)."""
        ...

    def reliability(self, settings: Settings, store: Store | None = None) -> AbstractAsyncContextManager[Reliability]:
        """Figures from the metrics. What is remembered of them is in `store`; None: nothing is."""
        ...

    def planning(self, settings: Settings, store: Store) -> AbstractAsyncContextManager[Planning]: ...

    def posting(self, settings: Settings) -> AbstractAsyncContextManager[Posting]: ...

    def core(self, settings: Settings, chat: Chat) -> AbstractAsyncContextManager[Intake]:
        """The Director at work on this chat: database, model, worker. What is put into the intake gets answered."""
        ...

    async def check(self, settings: Settings, room: Room) -> str | None:
        """For `doctor`: a sentence when the room works, None when it is switched off.

        Raises DirectorError with what to do when it does not work. `database` must not create or migrate anything.
        """
        ...

    async def serve(self, settings: Settings) -> int: ...

    async def demo(self, *, port: int | None, teams_port: int | None, open_browser: bool) -> int:
        """Show the sample company; with `teams_port` a Teams playground on this machine may speak with it there."""
        ...
