"""Who may do what: the contract's default rights, and those that director.yml names instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.domain import Person, Standing
from bot.schedules import Schedule
from bot.settings_file import DirectorFile


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Answers are pure; `groups` are the ids of the platform's user groups that the person belongs to.

    An entry of director.yml is a platform id of a person or group, or `@name` of somebody in the roster, whose platform
    id `ids` knows. Names that people give themselves on the platform never count: anyone can take any.
    """

    ids: Mapping[str, str] = field(default_factory=dict)  # roster name -> platform id
    schedule: tuple[str, ...] = ()  # nobody named: every member may add schedules
    admin: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: DirectorFile) -> Self:
        """The rights that director.yml gives."""
        people = [person for team in file.roster.teams.values() for person in team.people]
        return cls(
            ids={person.name.casefold(): person.slack for person in people if person.slack},
            schedule=file.rights.schedule or (),
            admin=file.rights.admin or (),
        )

    def is_admin(self, person: Person, groups: Collection[str] = ()) -> bool:
        """A workspace admin, or someone director.yml makes one; never a guest or a person from elsewhere."""
        return person.standing is Standing.ADMIN or (
            person.standing is Standing.MEMBER and self._named(self.admin, person, groups)
        )

    def may_read_schedules(self, person: Person) -> bool:
        return person.standing in (Standing.MEMBER, Standing.ADMIN)

    def may_add_schedule(self, person: Person, groups: Collection[str] = ()) -> bool:
        if self.is_admin(person, groups):
            return True
        if person.standing is not Standing.MEMBER:
            return False
        return not self.schedule or self._named(self.schedule, person, groups)

    def may_change_schedule(self, person: Person, schedule: Schedule, groups: Collection[str] = ()) -> bool:
        """Its creator, admins, and those whom director.yml gives the right."""
        if self.is_admin(person, groups):
            return True
        if person.standing is not Standing.MEMBER:
            return False
        return schedule.created_by == person.id or self._named(self.schedule, person, groups)

    def _named(self, entries: tuple[str, ...], person: Person, groups: Collection[str]) -> bool:
        return any(
            entry in (person.id, *groups) or self.ids.get(entry.removeprefix("@").casefold()) == person.id
            for entry in entries
        )


NOT_FOR_GUESTS = "Schedules post figures about our services, so only members of this workspace can use them."
"""What a guest, a person from another organisation, or one the platform says nothing about is told."""
