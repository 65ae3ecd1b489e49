"""Reading environment variables: an empty one is unset, a wrong one becomes a mistake that never shows a secret."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.yaml_source import Mistake

_DATABASE = re.compile(r"(sqlite|postgresql|postgres)(\+[a-z0-9]+)?://(.*)", re.DOTALL)
_DRIVERS = {"sqlite": "+pysqlite", "postgresql": "+psycopg", "postgres": "+psycopg"}
HOW_TO_MAKE_A_KEY = (
    'make one with: python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
)

VARIABLES = (
    *("DIRECTOR_CONFIG", "DIRECTOR_ENCRYPTION_KEYS", "DIRECTOR_HOOK_SECRET", "DIRECTOR_HTTP", "DIRECTOR_MODEL"),
    *("DIRECTOR_SLOS", "DATABASE_URL", "LOG_FORMAT", "LOG_LEVEL"),
    *("SLACK_API_URL", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"),
    *("SLACK_SIGNING_SECRET", "TEAMS_ALLOWED_TENANTS", "TEAMS_CLIENT_ID", "TEAMS_CLIENT_SECRET", "TEAMS_LOGIN_URL"),
    *("TEAMS_MANAGED_IDENTITY", "TEAMS_OPENID_URL", "TEAMS_TENANT_ID"),
    *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    *("PROMETHEUS_CA", "PROMETHEUS_TENANT", "PROMETHEUS_TOKEN", "PROMETHEUS_URL"),
)
_FAMILIES = ("DIRECTOR_", "SLACK_", "TEAMS_", "ANTHROPIC_", "PROMETHEUS_", "DATABASE_", "LOG_")


def misspelt(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Variables that nobody reads, each with the unset one that was probably meant."""
    unset = [name for name in VARIABLES if not environ.get(name, "").strip()]
    strangers = sorted(name for name in environ if name.startswith(_FAMILIES) and name not in VARIABLES)
    near = ((name, get_close_matches(name, unset, n=1, cutoff=0.85)) for name in strangers)
    return tuple((name, found[0]) for name, found in near if found)


class Environment:
    """Typed look-ups that collect what is wrong instead of stopping at the first mistake."""

    def __init__(self, environ: Mapping[str, str], cwd: Path) -> None:
        self._environ = environ
        self._cwd = cwd
        self.mistakes: list[Mistake] = []

    def wrong(self, name: str, text: str) -> None:
        self.mistakes.append(Mistake(name, "", text))

    def text(self, name: str) -> str | None:
        value = self._environ.get(name, "").strip()
        return value or None

    def secret(self, name: str) -> SecretStr | None:
        """A token or key: one word of printable ASCII, because it travels in a header."""
        value = self.text(name)
        if value is None:
            return None
        if value[0] in "\"'" and value[-1] == value[0]:
            self.wrong(name, "has quotes around it; leave them out")
        elif not re.fullmatch(r"[\x21-\x7e]+", value):
            self.wrong(name, "holds spaces or characters that no token has; copy it again, without line breaks")
        return SecretStr(value)

    def word(self, name: str) -> str | None:
        """A value that goes into an address or a header as it is."""
        value = self.text(name)
        if value is not None and not re.fullmatch(r"[\x21-\x7e]+", value):
            self.wrong(name, "must be one word without spaces")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        value = self.text(name) or ""
        return tuple(part.strip() for part in value.split(",") if part.strip())

    def choice(self, name: str, known: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        found = next((word for word in known if word.lower() == value.lower()), None)
        if found is None:
            self.wrong(name, f"must be one of {', '.join(known)}")
        return found

    def url(self, name: str) -> str | None:
        """An http(s) base URL without credentials, query and trailing slash."""
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
            parts = urlsplit("")
        if not good or re.search(r"\s", value):
            self.wrong(name, "is no http:// or https:// address with a host")
        elif parts.username is not None or parts.password is not None:
            self.wrong(name, "holds a user name or password; take them out of the address")
        elif parts.query or parts.fragment:
            self.wrong(name, "must be a base address without ? and #")
        return value.rstrip("/")

    def address(self, name: str, *, default: tuple[str, int]) -> tuple[str, int]:
        value = self.text(name)
        if value is None:
            return default
        found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\s/]+):(\d{1,5})", value)
        if found is None or int(found[2]) > 65_535:
            self.wrong(name, "must be host:port, e.g. 127.0.0.1:8080 (0.0.0.0:8080 listens on every address)")
            return default
        return found[1].strip("[]"), int(found[2])

    def file(self, name: str, *, default: str) -> Path | None:
        """An existing file, absolute; the default only when it exists."""
        value = self.text(name)
        if value is None:
            beside = self._cwd / default
            return beside if beside.is_file() else None
        path = self._cwd / Path(value).expanduser()
        if not path.is_file():
            self.wrong(name, f"there is no file {value}")
            return None
        return path

    def certificates(self, name: str) -> Path | None:
        value = self.text(name)
        if value is None:
            return None
        path = self._cwd / Path(value).expanduser()
        try:
            content = path.read_bytes()
        except OSError as error:
            self.wrong(name, f"{value} can't be read: {error.strerror}")
            return None
        if b"-----BEGIN CERTIFICATE-----" not in content:
            self.wrong(name, f"{value} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
        return path

    def paths(self, name: str, *, default: str) -> tuple[Path, ...]:
        """Existing files or folders separated by `:`; the default only when it exists."""
        value = self.text(name)
        if value is None:
            beside = self._cwd / default
            return (beside,) if beside.exists() else ()
        found = []
        for part in filter(None, (piece.strip() for piece in value.split(":"))):
            path = self._cwd / Path(part).expanduser()
            if path.exists():
                found.append(path)
            else:
                self.wrong(name, f"there is no file or folder {part}")
        return tuple(found)

    def database(self, name: str, *, default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        found = _DATABASE.fullmatch(value)
        if found is None:
            self.wrong(name, "must be sqlite:///path/to/file.db or postgresql://user:password@host/database")
            return default
        kind, driver, rest = found.groups()
        if driver is not None and driver != _DRIVERS[kind]:
            self.wrong(name, f"names a driver that is not installed; write {kind}:// and leave the driver out")
        if kind == "sqlite" and rest.partition("?")[0] in ("", "/", "/:memory:"):
            self.wrong(name, "names no file, so all memory would be lost at the end; write sqlite:///director.db")
        if kind != "sqlite" and not rest:
            self.wrong(name, "names no server; write postgresql://user:password@host/database")
        return value

    def fernet_keys(self, name: str) -> tuple[SecretStr, ...]:
        keys = self.words(name)
        for position, key in enumerate(keys, start=1):
            if not _is_fernet_key(key):
                which = "is" if len(keys) == 1 else f"key {position} of {len(keys)} is"
                self.wrong(name, f"{which} not 32 bytes in url-safe base64; {HOW_TO_MAKE_A_KEY}")
        return tuple(SecretStr(key) for key in keys)


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def without_password(url: str) -> str:
    """The address with `***` where a password stands."""
    shown = re.sub(r"(://[^:/@?#]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"(?i)([?&](?:password|passwd|sslpassword|passfile|sslkey)=)[^&]*", r"\1***", shown)
