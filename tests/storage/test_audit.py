"""The audit trail keeps what was done, newest first."""

from __future__ import annotations

from bot.audit import AuditEntry
from storage import Store
from tests.storage.examples import AT


def _entry(about: str, workspace: str = "T1") -> AuditEntry:
    return AuditEntry(
        workspace=workspace,
        at=AT,
        person_id="U1",
        action="schedule.add",
        about=about,
        detail={"channel": "C1", "services": ["checkout"], "paused": False},
    )


async def test_entries_come_back_whole_newest_first(store: Store):
    for entry in (_entry("s1"), _entry("s2"), _entry("s3", "T2")):
        await store.audit.record(entry)
    assert await store.audit.entries(workspace="T1", limit=10) == (_entry("s2"), _entry("s1"))
    assert await store.audit.entries(workspace=None, limit=1) == (_entry("s3", "T2"),)
