"""Settings: the environment's part."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.settings import (
    HttpAddress,
    ModelSettings,
    PrometheusSettings,
    Settings,
    SettingsError,
    SlackSettings,
    TeamsSettings,
    load_settings,
)
from bot.settings_environment import VARIABLES, misspelt
from bot.settings_file import DirectorFile

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
MAKE_A_KEY = 'make one with: python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'


def mistakes(environ: dict[str, str], cwd: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, cwd)
    assert caught.value.exit_code == 2
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_an_empty_environment_gives_the_contracts_defaults(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path) == Settings(
        workspace="local",
        config_path=None,
        database_url="sqlite:///director.db",
        slack=None,
        slack_install=None,
        teams=None,
        model=ModelSettings(name="claude-sonnet-5-5", api_key=None, base_url="https://api.anthropic.com"),
        prometheus=None,
        slos=(),
        http=HttpAddress(host="127.0.0.1", port=8080),
        log_level="INFO",
        log_format=None,
        hook_secret=None,
        encryption_keys=(),
        file=DirectorFile(),
    )


def test_an_empty_or_blank_variable_counts_as_unset(tmp_path: Path) -> None:
    unset = load_settings({}, tmp_path)
    assert load_settings(dict.fromkeys(VARIABLES, ""), tmp_path) == unset
    assert load_settings(dict.fromkeys(VARIABLES, "  \n"), tmp_path) == unset


def test_every_variable_reaches_its_setting(tmp_path: Path) -> None:
    (tmp_path / "slos").mkdir()
    (tmp_path / "more.yml").touch()
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    environ = {
        "DATABASE_URL": "postgresql://director:pw@db.example/director",
        "SLACK_BOT_TOKEN": "xoxb-1\n",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_SIGNING_SECRET": "8f742231",
        "SLACK_API_URL": "http://127.0.0.1:9000/api",
        "TEAMS_CLIENT_ID": "c",
        "TEAMS_CLIENT_SECRET": "cs",
        "TEAMS_TENANT_ID": "t1",
        "TEAMS_ALLOWED_TENANTS": "t1, t2",
        "TEAMS_LOGIN_URL": "https://login.example",
        "TEAMS_OPENID_URL": "https://keys.example/openid/",
        "ANTHROPIC_API_KEY": "sk-ant-1",
        "ANTHROPIC_BASE_URL": "https://model.example/",
        "DIRECTOR_MODEL": "claude-opus-5",
        "PROMETHEUS_URL": "https://prometheus.example/prom/",
        "PROMETHEUS_TOKEN": "pt",
        "PROMETHEUS_TENANT": "acme|other",
        "PROMETHEUS_CA": "ca.pem",
        "DIRECTOR_SLOS": "slos:more.yml",
        "DIRECTOR_HTTP": "[::1]:9090",
        "DIRECTOR_ENCRYPTION_KEYS": f"{KEY}, {KEY}",
        "DIRECTOR_HOOK_SECRET": "hs",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    settings = load_settings(environ, tmp_path)
    assert settings == Settings(
        workspace="local",
        config_path=None,
        database_url="postgresql://director:pw@db.example/director",
        slack=SlackSettings(
            bot_token="xoxb-1", signing_secret="8f742231", app_token="xapp-1", api_url="http://127.0.0.1:9000/api/"
        ),
        slack_install=None,
        teams=TeamsSettings(
            client_id="c",
            client_secret="cs",
            tenant_id="t1",
            allowed_tenants=("t1", "t2"),
            login_url="https://login.example",
            openid_url="https://keys.example/openid",
        ),
        model=ModelSettings(name="claude-opus-5", api_key="sk-ant-1", base_url="https://model.example"),
        prometheus=PrometheusSettings(
            url="https://prometheus.example/prom", token="pt", tenant="acme|other", ca=tmp_path / "ca.pem"
        ),
        slos=(tmp_path / "slos", tmp_path / "more.yml"),
        http=HttpAddress(host="::1", port=9090),
        log_level="DEBUG",
        log_format="json",
        hook_secret="hs",
        encryption_keys=(KEY, KEY),
        file=DirectorFile(),
    )


def test_slos_beside_the_working_folder_are_found_without_being_named(tmp_path: Path) -> None:
    (tmp_path / "slos").mkdir()
    assert load_settings({}, tmp_path).slos == (tmp_path / "slos",)


def test_all_mistakes_of_environment_and_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "director.yml").write_text("workspace: acme\nservice: {}\nmetrics: {timeout: soon}\n")
    environ = {
        "DATABASE_URL": "mysql://u:geheim@db/x",
        "SLACK_BOT_TOKEN": "xoxp-1",
        "SLACK_APP_TOKEN": "xoxb-2",
        "SLACK_CLIENT_SECRET": "cs",
        "TEAMS_CLIENT_ID": "c",
        "ANTHROPIC_API_KEY": "'sk-ant-1'",
        "PROMETHEUS_TOKEN": "two words",
        "PROMETHEUS_CA": "director.yml",
        "DIRECTOR_SLOS": "slos:nowhere.yml",
        "DIRECTOR_HTTP": "8080",
        "DIRECTOR_ENCRYPTION_KEYS": "short",
        "LOG_LEVEL": "loud",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, tmp_path)
    assert str(caught.value) == (
        "18 settings are wrong:\n"
        "  DATABASE_URL: must be sqlite:///path/to/file.db or postgresql://user:password@host/database\n"
        "  SLACK_CLIENT_ID: is needed with SLACK_CLIENT_SECRET\n"
        "  SLACK_BOT_TOKEN: must be the bot token, which starts with xoxb-; this is a user token\n"
        "  SLACK_APP_TOKEN: must be an app-level token, which starts with xapp-; this is a bot token\n"
        "  TEAMS_CLIENT_SECRET: is needed with TEAMS_CLIENT_ID\n"
        "  TEAMS_TENANT_ID: is needed with TEAMS_CLIENT_ID\n"
        "  ANTHROPIC_API_KEY: has quotes around it; leave them out\n"
        "  PROMETHEUS_TOKEN: holds spaces or characters that no token has; copy it again, without line breaks\n"
        "  PROMETHEUS_CA: director.yml holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)\n"
        "  PROMETHEUS_TOKEN: is set, but PROMETHEUS_URL is not; set it too, or neither\n"
        "  PROMETHEUS_CA: is set, but PROMETHEUS_URL is not; set it too, or neither\n"
        "  DIRECTOR_SLOS: there is no file or folder slos\n"
        "  DIRECTOR_SLOS: there is no file or folder nowhere.yml\n"
        "  DIRECTOR_HTTP: must be host:port, e.g. 127.0.0.1:8080 (0.0.0.0:8080 listens on every address)\n"
        "  LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL\n"
        f"  DIRECTOR_ENCRYPTION_KEYS: is not 32 bytes in url-safe base64; {MAKE_A_KEY}\n"
        "  director.yml:2: service: unknown key; did you mean 'services'?\n"
        "  director.yml:3: metrics.timeout: must be a duration such as 20s, 15m, 1h, 2d or 4w"
    )


def test_one_mistake_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"DIRECTOR_CONFIG": "nowhere.yml"}, tmp_path)
    assert str(caught.value) == "One setting is wrong:\n  DIRECTOR_CONFIG: there is no file nowhere.yml"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-1"},
            (
                "SLACK_BOT_TOKEN: is set, but not how events arrive; "
                "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) too"
            ),
        ),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_APP_TOKEN: is set, but SLACK_BOT_TOKEN is not; set it too, or neither"),
        (
            {"SLACK_SIGNING_SECRET": "8f"},
            "SLACK_SIGNING_SECRET: is set, but SLACK_BOT_TOKEN is not; set it too, or neither",
        ),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "xapp-1"},
            "SLACK_SIGNING_SECRET: is a token; the signing secret stands under Basic Information of the app",
        ),
        (
            {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s", "SLACK_SIGNING_SECRET": "8f"},
            (
                "DIRECTOR_ENCRYPTION_KEYS: is needed with SLACK_CLIENT_ID, because tokens of installed workspaces are "
                f"stored; {MAKE_A_KEY}"
            ),
        ),
        (
            {"DIRECTOR_ENCRYPTION_KEYS": f"{KEY},{KEY[:-4]}"},
            f"DIRECTOR_ENCRYPTION_KEYS: key 2 of 2 is not 32 bytes in url-safe base64; {MAKE_A_KEY}",
        ),
        (
            {"DATABASE_URL": "postgresql+asyncpg://u:p@h/d"},
            "DATABASE_URL: names a driver that is not installed; write postgresql:// and leave the driver out",
        ),
        (
            {"DATABASE_URL": "sqlite://"},
            "DATABASE_URL: names no file, so all memory would be lost at the end; write sqlite:///director.db",
        ),
        (
            {"DATABASE_URL": "sqlite:///:memory:"},
            "DATABASE_URL: names no file, so all memory would be lost at the end; write sqlite:///director.db",
        ),
        (
            {"PROMETHEUS_URL": "prometheus:9090"},
            "PROMETHEUS_URL: is no http:// or https:// address with a host",
        ),
        (
            {"PROMETHEUS_URL": "http://u:geheim@prometheus:9090"},
            "PROMETHEUS_URL: holds a user name or password; take them out of the address",
        ),
        (
            {"ANTHROPIC_BASE_URL": "https://x.example/?key=geheim"},
            "ANTHROPIC_BASE_URL: must be a base address without ? and #",
        ),
        (
            {"SLACK_API_URL": "http://[::1/api/"},
            "SLACK_API_URL: is no http:// or https:// address with a host",
        ),
        (
            {"DIRECTOR_HTTP": "0.0.0.0:70000"},
            "DIRECTOR_HTTP: must be host:port, e.g. 127.0.0.1:8080 (0.0.0.0:8080 listens on every address)",
        ),
        (
            {"PROMETHEUS_URL": "http://p:9090", "PROMETHEUS_CA": "nowhere.pem"},
            "PROMETHEUS_CA: nowhere.pem can't be read: No such file or directory",
        ),
    ],
)
def test_a_mistake_says_what_to_do(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    assert mistakes(environ, tmp_path) == [told]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///director.db", "sqlite:///director.db"),
        ("postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:p@ss:w/ord#?@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d?password=geheim&sslmode=require", "postgresql://u@h/d?password=***&sslmode=require"),
        ("postgresql://:geheim@h/d", "postgresql://:***@h/d"),
    ],
)
def test_a_database_is_shown_without_its_password(tmp_path: Path, url: str, shown: str) -> None:
    assert load_settings({"DATABASE_URL": url}, tmp_path).database_shown == shown


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.workspace = "other"  # type: ignore[misc]


def test_a_variable_that_nobody_reads_is_taken_for_the_one_it_resembles() -> None:
    environ = {"PROMETHEUS_URI": "http://p:9090", "DIRECTOR_SLO": "x", "SLACK_TEAM": "acme", "PATH": "/bin"}
    assert misspelt(environ) == (("DIRECTOR_SLO", "DIRECTOR_SLOS"), ("PROMETHEUS_URI", "PROMETHEUS_URL"))
    assert misspelt({**environ, "PROMETHEUS_URL": "http://p", "DIRECTOR_SLOS": "y"}) == ()
    assert misspelt(dict.fromkeys(VARIABLES, "")) == ()


def test_the_example_and_the_documents_name_every_variable() -> None:
    root = Path(__file__).parents[3]
    named = {line.partition("=")[0] for line in (root / ".env.example").read_text().splitlines() if line[:1] > "#"}
    assert named == set(VARIABLES)
    documented = (root / "docs" / "settings.md").read_text()
    assert [name for name in VARIABLES if f"`{name}`" not in documented] == []


SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-",
    "SLACK_APP_TOKEN": "xapp-",
    "SLACK_SIGNING_SECRET": "",
    "SLACK_CLIENT_SECRET": "",
    "TEAMS_CLIENT_SECRET": "",
    "ANTHROPIC_API_KEY": "",
    "PROMETHEUS_TOKEN": "",
    "DIRECTOR_HOOK_SECRET": "",
    "DIRECTOR_ENCRYPTION_KEYS": "",
}
MARK = "Zq7geheimZq7"
# Whatever stands around the mark: right prefixes, wrong ones, spaces, quotes, line breaks, commas.
AROUND = st.text(st.sampled_from("ab1-_.:/@#?=&,;'\" \n\té%[]{}"), max_size=6)


@given(
    st.dictionaries(
        st.sampled_from(sorted(SECRETS)), st.tuples(st.booleans(), AROUND, AROUND), min_size=1, max_size=len(SECRETS)
    ),
    st.sampled_from(["", f"postgresql://u:{MARK}@h/d", f"postgresql://u:{MARK}x@y@h/d", f"mysql://u:{MARK}@h/d"]),
    st.sampled_from(["", f"http://u:{MARK}@p:9090", f"http://p:9090?token={MARK}", f"http://p:{MARK}"]),
)
def test_no_secret_shows_in_settings_or_errors(
    tokens: dict[str, tuple[bool, str, str]], database: str, prometheus: str
) -> None:
    environ = {"DATABASE_URL": database, "PROMETHEUS_URL": prometheus, "SLACK_CLIENT_ID": "1.2"}
    for name, (right, before, after) in tokens.items():
        environ[name] = f"{SECRETS[name] if right else ''}{before}{MARK}{after}"
    try:
        settings = load_settings(environ, Path("/nonexistent"))
    except SettingsError as error:
        shown = f"{error} {error!r} {error.mistakes}"
    else:
        shown = f"{settings} {settings!r} {settings.database_shown}"
    assert MARK not in shown


@pytest.mark.parametrize(
    ("login", "keys"),
    [
        ("", "login.botframework.com"),
        ("https://login.example", "login.botframework.com"),
        ("https://login.microsoftonline.us/", "login.botframework.azure.us"),
        ("https://login.partner.microsoftonline.cn", "login.botframework.azure.cn"),
    ],
)
def test_the_keys_of_teams_are_those_of_the_cloud_that_one_logs_in_to(tmp_path: Path, login: str, keys: str) -> None:
    environ = {"TEAMS_CLIENT_ID": "c", "TEAMS_CLIENT_SECRET": "s", "TEAMS_TENANT_ID": "t", "TEAMS_LOGIN_URL": login}

    teams = load_settings(environ, tmp_path).teams

    assert teams is not None
    assert teams.openid_url == f"https://{keys}/v1/.well-known/openidconfiguration"
