"""Environment and director.yml as one frozen value; every mistake is reported at once, with its key and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

from pydantic import Field, SecretStr

from bot.domain import Value
from bot.errors import UsageError
from bot.settings_environment import HOW_TO_MAKE_A_KEY, Environment, without_password
from bot.settings_file import DirectorFile, parse_file
from bot.yaml_source import Mistake, YamlProblem, read

LogFormat = Literal["console", "json"]


class SettingsError(UsageError):
    """Settings are wrong; the text lists every mistake of environment and file with what to do."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        head = "One setting is wrong:" if len(self.mistakes) == 1 else f"{len(self.mistakes)} settings are wrong:"
        super().__init__("\n".join([head, *(f"  {mistake}" for mistake in self.mistakes)]))


class SlackSettings(Value):
    """With `app_token` Socket Mode, else signed HTTP (then `signing_secret` is there). `api_url` ends in `/`."""

    bot_token: SecretStr
    signing_secret: SecretStr | None
    app_token: SecretStr | None
    api_url: str


class SlackInstall(Value):
    """OAuth install for several workspaces."""

    client_id: str
    client_secret: SecretStr


class TeamsSettings(Value):
    """`tenant_id` is the bot's own tenant; people are heard from `allowed_tenants`.

    `client_secret` None: the process runs as the bot's managed identity. `login_url` is where tokens are got,
    `openid_url` the document that leads to the keys of Bot Framework's tokens.
    """

    client_id: str
    client_secret: SecretStr | None
    tenant_id: str
    allowed_tenants: tuple[str, ...]
    login_url: str
    openid_url: str


class ModelSettings(Value):
    """`base_url` is never empty: the SDK would fall over an empty variable."""

    name: str
    api_key: SecretStr | None
    base_url: str


class PrometheusSettings(Value):
    """`url` without a slash at its end; `tenant` goes into X-Scope-OrgID."""

    url: str
    token: SecretStr | None
    tenant: str | None
    ca: Path | None


class HttpAddress(Value):
    host: str
    port: int


class Settings(Value):
    """Everything that can be set. `log_format` None: console on a terminal, json otherwise."""

    workspace: str
    config_path: Path | None
    database_url: str = Field(repr=False)
    slack: SlackSettings | None
    slack_install: SlackInstall | None
    teams: TeamsSettings | None
    model: ModelSettings
    prometheus: PrometheusSettings | None
    slos: tuple[Path, ...]
    http: HttpAddress
    log_level: str
    log_format: LogFormat | None
    hook_secret: SecretStr | None
    encryption_keys: tuple[SecretStr, ...]
    file: DirectorFile

    @property
    def database_shown(self) -> str:
        """The database's address without its password, fit to show."""
        return without_password(self.database_url)


def load_settings(environ: Mapping[str, str], cwd: Path) -> Settings:
    """Read and check everything.

    Raises:
        SettingsError: with every mistake of environment and file.
    """
    env = Environment(environ, cwd)
    path = env.file("DIRECTOR_CONFIG", default="director.yml")
    file, wrong_in_file = (DirectorFile(), ()) if path is None else _read_file(path, cwd)
    database_url = env.database("DATABASE_URL", default="sqlite:///director.db")
    install = _slack_install(env)
    slack = _slack(env, install)
    teams = _teams(env)
    model = _model(env)
    prometheus = _prometheus(env)
    slos = env.paths("DIRECTOR_SLOS", default="slos")
    host, port = env.address("DIRECTOR_HTTP", default=("127.0.0.1", 8080))
    log_level = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")) or "INFO"
    log_format = env.choice("LOG_FORMAT", get_args(LogFormat))
    hook_secret = env.secret("DIRECTOR_HOOK_SECRET")
    encryption_keys = env.fernet_keys("DIRECTOR_ENCRYPTION_KEYS")
    if install and not encryption_keys:
        env.wrong(
            "DIRECTOR_ENCRYPTION_KEYS",
            f"is needed with SLACK_CLIENT_ID, because tokens of installed workspaces are stored; {HOW_TO_MAKE_A_KEY}",
        )
    mistakes = (*env.mistakes, *wrong_in_file)
    if mistakes or file is None:
        raise SettingsError(mistakes)
    return Settings(
        workspace=file.workspace or "local",
        config_path=path,
        database_url=database_url,
        slack=slack,
        slack_install=install,
        teams=teams,
        model=model,
        prometheus=prometheus,
        slos=slos,
        http=HttpAddress(host=host, port=port),
        log_level=log_level,
        log_format=cast("LogFormat | None", log_format),
        hook_secret=hook_secret,
        encryption_keys=encryption_keys,
        file=file,
    )


def _read_file(path: Path, cwd: Path) -> tuple[DirectorFile | None, tuple[Mistake, ...]]:
    try:
        documents = read(path)
    except YamlProblem as problem:
        return None, (_shorter(problem.mistake, cwd),)
    if not documents:
        return DirectorFile(), ()
    if len(documents) > 1:
        return None, (_shorter(documents[1].mistake((), "a second document begins; keep everything in one"), cwd),)
    file, mistakes = parse_file(documents[0])
    return file, tuple(_shorter(mistake, cwd) for mistake in mistakes)


def _shorter(mistake: Mistake, cwd: Path) -> Mistake:
    """Say where from the working folder, as people type it."""
    return replace(mistake, where=mistake.where.removeprefix(f"{cwd}/"))


def _slack(env: Environment, install: SlackInstall | None) -> SlackSettings | None:
    bot, app = env.secret("SLACK_BOT_TOKEN"), env.secret("SLACK_APP_TOKEN")
    signing = env.secret("SLACK_SIGNING_SECRET")
    api_url = env.url("SLACK_API_URL") or "https://slack.com/api"
    if bot and not bot.get_secret_value().startswith(("xoxb-", "xoxe.xoxb-")):
        env.wrong("SLACK_BOT_TOKEN", _other_token(bot, "must be the bot token, which starts with xoxb-"))
    if app and not app.get_secret_value().startswith("xapp-"):
        env.wrong("SLACK_APP_TOKEN", _other_token(app, "must be an app-level token, which starts with xapp-"))
    if signing and signing.get_secret_value().startswith(("xox", "xapp-")):
        env.wrong("SLACK_SIGNING_SECRET", "is a token; the signing secret stands under Basic Information of the app")
    if (bot or install) and not app and not signing:
        name = "SLACK_BOT_TOKEN" if bot else "SLACK_CLIENT_ID"
        env.wrong(
            name,
            "is set, but not how events arrive; set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) too",
        )
    if not bot and not install and (app or signing):
        name = "SLACK_APP_TOKEN" if app else "SLACK_SIGNING_SECRET"
        env.wrong(name, "is set, but SLACK_BOT_TOKEN is not; set it too, or neither")
    if bot is None:
        return None
    return SlackSettings(bot_token=bot, signing_secret=signing, app_token=app, api_url=f"{api_url}/")


def _other_token(token: SecretStr, text: str) -> str:
    kinds = {"xoxb-": "a bot token", "xapp-": "an app-level token", "xoxp-": "a user token", "xoxc-": "a browser token"}
    kind = next((name for start, name in kinds.items() if token.get_secret_value().startswith(start)), None)
    return f"{text}; this is {kind}" if kind else text


def _slack_install(env: Environment) -> SlackInstall | None:
    client_id, secret = env.word("SLACK_CLIENT_ID"), env.secret("SLACK_CLIENT_SECRET")
    if client_id and secret:
        return SlackInstall(client_id=client_id, client_secret=secret)
    if client_id:
        env.wrong("SLACK_CLIENT_SECRET", "is needed with SLACK_CLIENT_ID")
    if secret:
        env.wrong("SLACK_CLIENT_ID", "is needed with SLACK_CLIENT_SECRET")
    return None


_OPENID = "/v1/.well-known/openidconfiguration"
_TEAMS_KEYS = {  # of the clouds that have a login of their own
    "https://login.microsoftonline.us": "login.botframework.azure.us",
    "https://login.partner.microsoftonline.cn": "login.botframework.azure.cn",
}


def _teams(env: Environment) -> TeamsSettings | None:
    client_id, tenant_id = env.word("TEAMS_CLIENT_ID"), env.word("TEAMS_TENANT_ID")
    secret, allowed = env.secret("TEAMS_CLIENT_SECRET"), env.words("TEAMS_ALLOWED_TENANTS")
    managed = env.choice("TEAMS_MANAGED_IDENTITY", ("true", "false")) == "true"
    login_url, openid_url = env.url("TEAMS_LOGIN_URL"), env.url("TEAMS_OPENID_URL")
    if managed and secret:
        env.wrong("TEAMS_CLIENT_SECRET", "is set, and TEAMS_MANAGED_IDENTITY too; a managed identity has no secret")
    if client_id and tenant_id and (secret or managed):
        return TeamsSettings(
            client_id=client_id,
            client_secret=secret,
            tenant_id=tenant_id,
            allowed_tenants=allowed or (tenant_id,),
            login_url=login_url or "https://login.microsoftonline.com",
            openid_url=openid_url or f"https://{_TEAMS_KEYS.get(login_url or '', 'login.botframework.com')}{_OPENID}",
        )
    needed = {"TEAMS_CLIENT_ID": bool(client_id), "TEAMS_CLIENT_SECRET": bool(secret or managed)}
    needed["TEAMS_TENANT_ID"] = bool(tenant_id)
    there = next(filter(env.text, (*needed, "TEAMS_ALLOWED_TENANTS")), "TEAMS_MANAGED_IDENTITY" if managed else None)
    for name, given in needed.items():
        if there is not None and not given:
            env.wrong(name, f"is needed with {there}")
    return None


def _model(env: Environment) -> ModelSettings:
    return ModelSettings(
        name=env.word("DIRECTOR_MODEL") or "claude-sonnet-5-5",
        api_key=env.secret("ANTHROPIC_API_KEY"),
        base_url=env.url("ANTHROPIC_BASE_URL") or "https://api.anthropic.com",
    )


def _prometheus(env: Environment) -> PrometheusSettings | None:
    url, token = env.url("PROMETHEUS_URL"), env.secret("PROMETHEUS_TOKEN")
    tenant, ca = env.word("PROMETHEUS_TENANT"), env.certificates("PROMETHEUS_CA")
    if url is not None:
        return PrometheusSettings(url=url, token=token, tenant=tenant, ca=ca)
    for name in ("PROMETHEUS_TOKEN", "PROMETHEUS_TENANT", "PROMETHEUS_CA"):
        if env.text(name):
            env.wrong(name, "is set, but PROMETHEUS_URL is not; set it too, or neither")
    return None
