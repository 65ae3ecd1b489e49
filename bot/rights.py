"""Who may do what: the contract's default rights, and those that director.yml names instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.domain import Person, Platform, Standing
from bot.schedules import Schedule
from bot.settings_file import DirectorFile
from bot.settings_values import mention_platform


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Answers are pure; `groups` are the ids of the platform's user groups that the person belongs to.

    An entry of director.yml is a platform's id of a person or group, or `@name` of somebody in the roster, whose ids
    `ids` knows. An id counts on its own platform only. Names that people give themselves on the platform never count:
    anyone can take any.
    """

    ids: Mapping[Platform, Mapping[str, str]] = field(default_factory=dict)  # platform -> roster name -> id there
    schedule: tuple[str, ...] = ()  # nobody named: every member may add schedules
    admin: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: DirectorFile) -> Self:
        """The rights that director.yml gives."""
        people = [person for team in file.roster.teams.values() for person in team.people]
        return cls(
            ids={
                "slack": {person.name.casefold(): person.slack for person in people if person.slack},
                "teams": {person.name.casefold(): person.teams for person in people if person.teams},
            },
            schedule=file.rights.schedule or (),
            admin=file.rights.admin or (),
        )

    def is_admin(self, person: Person, platform: Platform, groups: Collection[str] = ()) -> bool:
        """A workspace admin, or someone director.yml makes one; never a guest or a person from elsewhere."""
        return person.standing is Standing.ADMIN or (
            person.standing is Standing.MEMBER and self._named(self.admin, person, platform, groups)
        )

    def may_read_schedules(self, person: Person) -> bool:
        return person.standing in (Standing.MEMBER, Standing.ADMIN)

    def may_add_schedule(self, person: Person, platform: Platform, groups: Collection[str] = ()) -> bool:
        if self.is_admin(person, platform, groups):
            return True
        if person.standing is not Standing.MEMBER:
            return False
        return not self.schedule or self._named(self.schedule, person, platform, groups)

    def may_change_schedule(
        self, person: Person, schedule: Schedule, platform: Platform, groups: Collection[str] = ()
    ) -> bool:
        """Its creator, admins, and those whom director.yml gives the right."""
        if self.is_admin(person, platform, groups):
            return True
        if person.standing is not Standing.MEMBER:
            return False
        return schedule.created_by == person.id or self._named(self.schedule, person, platform, groups)

    def _named(self, entries: tuple[str, ...], person: Person, platform: Platform, groups: Collection[str]) -> bool:
        ids = self.ids.get(platform, {})
        mine = {id_.casefold() for id_ in (person.id, *groups)}
        names = {entry.removeprefix("@").casefold() for entry in entries if mention_platform(entry) is None}
        named = {ids[name].casefold() for name in names if name in ids}
        given = {entry.casefold() for entry in entries if mention_platform(entry) == platform}
        return person.id.casefold() in named or not mine.isdisjoint(given)


NOT_FOR_GUESTS = "Schedules post figures about our services, so only members of this workspace can use them."
"""What a guest, a person from another organisation, or one the platform says nothing about is told."""
