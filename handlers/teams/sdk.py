"""Teams' SDK, imported here and nowhere else: it is an optional extra, and importing it needs some care."""

from __future__ import annotations

import logging
import os
import warnings

from bot.errors import UsageError

INSTALL = (
    "Microsoft Teams is configured, but what it needs is not installed. Install it with "
    "`pip install 'backend-director[teams]'` (`make setup-teams` in a checkout), or take the TEAMS_ variables out."
)

# Importing the SDK reads a .env file in the working folder into the environment, where others would find it.
_before = os.environ.get("PYTHON_DOTENV_DISABLED")
os.environ["PYTHON_DOTENV_DISABLED"] = "1"
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of previews that nobody here uses
        from jwt import PyJWK, PyJWKClient, PyJWKClientError, PyJWTError, get_unverified_header
        from microsoft_teams.api.activities.message import MessageActivityInput
        from microsoft_teams.api.activities.typing import TypingActivityInput
        from microsoft_teams.api.auth.cloud_environment import CHINA, PUBLIC, US_GOV, CloudEnvironment, with_overrides
        from microsoft_teams.api.models.account import Account, TeamsChannelAccount
        from microsoft_teams.api.models.attachment.attachment import Attachment
        from microsoft_teams.api.models.channel_data.channel_data import ChannelData
        from microsoft_teams.api.models.channel_data.channel_info import ChannelInfo
        from microsoft_teams.api.models.entity.citation_entity import CitationAppearance
        from microsoft_teams.apps.auth import TokenValidator
        from msal import ManagedIdentityClient, UserAssignedManagedIdentity  # type: ignore[import-untyped]
        from requests import Session
except ImportError as missing:
    raise UsageError(INSTALL) from missing
finally:
    if _before is None:
        del os.environ["PYTHON_DOTENV_DISABLED"]
    else:
        os.environ["PYTHON_DOTENV_DISABLED"] = _before

# At INFO these tell of every request with its address, at ERROR of what a token holds.
for _name in ("httpx", "httpcore", "msal", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("microsoft_teams").setLevel(logging.CRITICAL)

__all__ = [
    "CHINA",
    "PUBLIC",
    "US_GOV",
    "Account",
    "Attachment",
    "ChannelData",
    "ChannelInfo",
    "CitationAppearance",
    "CloudEnvironment",
    "ManagedIdentityClient",
    "MessageActivityInput",
    "PyJWK",
    "PyJWKClient",
    "PyJWKClientError",
    "PyJWTError",
    "Session",
    "TeamsChannelAccount",
    "TokenValidator",
    "TypingActivityInput",
    "UserAssignedManagedIdentity",
    "get_unverified_header",
    "with_overrides",
]
