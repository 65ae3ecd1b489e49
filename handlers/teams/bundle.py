"""The Teams app package: the manifest, filled in for one bot, zipped with its icons. Needs no SDK."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.errors import UsageError

_HERE = Path(__file__).resolve()
# In an installed package the files lie beside the Teams edge, in a checkout in deploy/teams.
_FOLDERS = (_HERE.parent / "package", _HERE.parents[2] / "deploy" / "teams")
_ICONS = ("color.png", "outline.png")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the zip format: the same input gives the same bytes on every day

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?")
_ADDRESS = re.compile(r"https://[^\s/]+\S*")
_LONGEST_ADDRESS = 2048
_LONGEST_NAME, _LONGEST_DEVELOPER = 30, 32  # Microsoft's schema, `name.short` and `developer.name`


@dataclass(frozen=True, kw_only=True)
class AppPackage:
    """What differs from one installation to the next.

    `client_id` is the bot's and becomes the app's id too: one bot is one app, and a package made anew updates it.

    Raises:
        UsageError: something that Teams would not take, with what to do.
    """

    client_id: str
    version: str
    name: str
    developer: str
    website: str
    privacy: str
    terms: str

    def __post_init__(self) -> None:
        if not _GUID.fullmatch(self.client_id):
            raise UsageError(  # what it is instead stays unsaid: it may be the secret
                "The client id (TEAMS_CLIENT_ID or --client-id) is not a GUID; copy the Application (client) ID of the "
                "bot's app registration, or the Client ID of its managed identity (docs/teams.md)."
            )
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"The version {self.version!r} has to be three numbers, as in 1.2.0.")
        _refuse_length("name", self.name, _LONGEST_NAME)
        _refuse_length("developer's name", self.developer, _LONGEST_DEVELOPER)
        for what, address in (("website", self.website), ("privacy", self.privacy), ("terms", self.terms)):
            if not _is_address(address):
                raise UsageError(f"The {what} address {address!r} has to begin with https:// and name a host.")

    def manifest(self) -> dict[str, Any]:
        """The Microsoft 365 app manifest."""
        values = {
            "${CLIENT_ID}": self.client_id.lower(),
            "${VERSION}": self.version,
            "${NAME}": self.name,
            "${DEVELOPER}": self.developer,
            "${WEBSITE}": self.website,
            "${PRIVACY}": self.privacy,
            "${TERMS}": self.terms,
        }
        template = json.loads((_folder() / "manifest.json").read_text(encoding="utf-8"))
        filled: dict[str, Any] = _filled(template, values)
        return filled

    def zipped(self) -> bytes:
        """The file that Teams takes: manifest and icons, nothing above or beside them."""
        text = json.dumps(self.manifest(), indent=2, ensure_ascii=False) + "\n"
        files = {"manifest.json": text.encode()} | {icon: (_folder() / icon).read_bytes() for icon in _ICONS}
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in files.items():
                entry = zipfile.ZipInfo(name, _FIRST_DAY)
                entry.create_system = 3  # Unix, on every system
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)
        return target.getvalue()


def _refuse_length(what: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest or not text.isprintable():
        raise UsageError(f"The {what} {text!r} has to have 1 to {longest} characters, on one line.")


def _is_address(text: str) -> bool:
    try:
        named = urlsplit(text).hostname is not None
    except ValueError:  # brackets that hold no IPv6 address
        named = False
    return named and _ADDRESS.fullmatch(text) is not None and len(text) <= _LONGEST_ADDRESS


def _filled(template: Any, values: dict[str, str]) -> Any:
    """Only whole strings are replaced, so that no value can reach beyond its place."""
    match template:
        case dict():
            return {key: _filled(value, values) for key, value in template.items()}
        case list():
            return [_filled(value, values) for value in template]
        case str():
            return values.get(template, template)
        case _:
            return template


def _folder() -> Path:
    for folder in _FOLDERS:
        if (folder / "manifest.json").is_file():
            return folder
    raise UsageError("The Teams app's files are missing from this installation; install the package again.")
