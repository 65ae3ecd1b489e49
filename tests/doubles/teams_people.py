"""Who is in the Teams of the double and where they talk: people of several kinds, two tenants, three kinds of rooms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

TENANT = "11111111-1111-4111-8111-111111111111"
SECOND_TENANT = "22222222-2222-4222-8222-222222222222"
STRANGE_TENANT = "99999999-9999-4999-8999-999999999999"  # on nobody's list


@dataclass(frozen=True)
class Someone:
    """A person as Teams tells a bot of them; `object_id` is their Entra id, None where there is none."""

    id: str
    name: str
    object_id: str | None
    tenant: str = TENANT
    role: str = "user"
    upn: str | None = None
    zone: str = "Europe/London"

    @property
    def key(self) -> str:
        """What the core knows the person by."""
        return self.object_id or self.id

    def member(self) -> dict[str, Any]:
        """The roster's entry."""
        known = {
            "id": self.id,
            "name": self.name,
            "objectId": self.object_id,
            "aadObjectId": self.object_id,
            "tenantId": self.tenant,
            "userRole": self.role,
            "userPrincipalName": self.upn,
            "email": self.upn,
            "givenName": self.name.split()[0],
        }
        return {name: value for name, value in known.items() if value is not None}

    def account(self) -> dict[str, Any]:
        """How an activity names them."""
        known = {"id": self.id, "name": self.name, "aadObjectId": self.object_id}
        return {name: value for name, value in known.items() if value is not None}


def _person(short: str, name: str, number: int, **more: Any) -> Someone:
    upn = more.pop("upn", f"{short}@fernhill.example")
    return Someone(f"29:1{short}", name, f"aaaaaaaa-0000-4000-8000-{number:012d}", upn=upn, **more)


MAYA = _person("maya", "Maya Okafor", 1)
OMAR = _person("omar", "Omar Haddad", 2)
GUS = _person("gus", "Gus Guest", 3, role="guest", upn="gus_agency.example#EXT#@fernhill.example")
EVE = _person("eve", "Eve External", 4, tenant=STRANGE_TENANT, upn="eve@elsewhere.example")
NOBODY = Someone("8:teamsvisitor:1", "Someone", None, role="anonymous")
PAT = _person("pat", "Pat Second", 5, tenant=SECOND_TENANT, upn="pat@second.example")
STRANGER = _person("sam", "Sam Stranger", 6, tenant=STRANGE_TENANT, upn="sam@strange.example")

Kind = Literal["personal", "groupChat", "channel"]


@dataclass(frozen=True)
class Room:
    """A conversation. A channel's `team` is its team's id; General has the team's own id and no name in the API."""

    id: str
    kind: Kind
    tenant: str = TENANT
    name: str | None = None
    team: str | None = None
    people: tuple[Someone, ...] = field(default=(), repr=False)


TEAM = "19:fernhill@thread.tacv2"
SECOND_TEAM = "19:second@thread.tacv2"
_EVERYONE = (MAYA, OMAR, GUS, EVE, NOBODY)

GENERAL = Room(TEAM, "channel", name=None, team=TEAM, people=_EVERYONE)
PAYMENTS = Room("19:payments@thread.tacv2", "channel", name="Payments", team=TEAM, people=_EVERYONE)
ON_CALL = Room("19:oncall@thread.tacv2", "channel", name="On Call", team=TEAM, people=_EVERYONE)
GROUP = Room("19:group@thread.v2", "groupChat", people=(MAYA, OMAR, GUS))
SECOND_CHANNEL = Room(SECOND_TEAM, "channel", SECOND_TENANT, team=SECOND_TEAM, people=(PAT,))
STRANGE_CHANNEL = Room("19:strange@thread.tacv2", "channel", STRANGE_TENANT, "Strange", "19:strange@thread.tacv2")


def chat_with(person: Someone) -> Room:
    """The one-to-one chat of a person with the Director; in the tenant where the Director is installed."""
    tenant = TENANT if person in _EVERYONE else person.tenant
    return Room(f"a:1{person.id.partition(':')[2]}", "personal", tenant, people=(person,))


ROOMS = (
    GENERAL,
    PAYMENTS,
    ON_CALL,
    GROUP,
    SECOND_CHANNEL,
    replace(STRANGE_CHANNEL, people=(STRANGER,)),
    *(chat_with(person) for person in (*_EVERYONE, PAT, STRANGER)),
)
