"""The fence around a claimed turn: nothing is written for it without the token of the claim that holds it."""

from __future__ import annotations

from sqlalchemy import Connection, and_, select
from sqlalchemy.sql.elements import ColumnElement

from bot.ports import Claim, LeaseLost
from storage.database import Database
from storage.schema import turns


def ours(claim: Claim) -> ColumnElement[bool]:
    return and_(turns.c.turn_id == claim.turn_id, turns.c.token == claim.token)


def require(database: Database, connection: Connection, claim: Claim) -> None:
    """Hold the claim's row until the transaction ends.

    Raises:
        LeaseLost: another worker has the turn, or it is finished.
    """
    query = select(turns.c.seq).where(ours(claim))
    if connection.scalar(query if database.is_sqlite else query.with_for_update()) is None:
        raise LeaseLost(f"Turn {claim.turn_id} was taken over by another worker.")
