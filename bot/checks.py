"""What `director doctor` says of the database and the model: a sentence, or an error with what to do."""

from __future__ import annotations

from typing import Protocol

from bot.conversation.model import Model, ModelRequest, ModelUnavailable, whole
from bot.domain import Message
from bot.errors import DirectorError


class Condition(Protocol):
    """What a database says of itself; the revisions are those of its tables and of this Director."""

    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def newest(self) -> str | None: ...
    @property
    def up_to_date(self) -> bool: ...


def check_database(found: Condition) -> str:
    """Raises DirectorError when the tables are those of an older Director."""
    if found.revision is None:
        return f"{found.name} ({found.server}) is empty; `director migrate` or `serve` fills in the tables"
    if not found.up_to_date:
        raise DirectorError(
            f"{found.name} is at revision {found.revision}, this Director needs {found.newest}: run `director migrate`."
        )
    return f"{found.name} ({found.server}), revision {found.revision}"


async def check_model(model: Model) -> str:
    """Ask the model for one word. Raises DirectorError when none comes."""
    await model.warm_up()
    request = ModelRequest(
        system="Answer with one word.", messages=(Message(role="user", content="Are you there?"),), max_tokens=1024
    )
    try:
        await whole(model, request)
    except ModelUnavailable as error:
        look_at = "the network, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY and DIRECTOR_MODEL"
        raise DirectorError(f"{error} Check {look_at}; until then mentions get figures only.") from error
    return f"{model.name} answers"
