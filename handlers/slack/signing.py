"""Whether a request was made by Slack: nothing of it is read before that is known."""

from __future__ import annotations

from collections.abc import Mapping

from slack_sdk.signature import SignatureVerifier


def signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether Slack signed this body with our secret within the last five minutes."""
    try:
        return SignatureVerifier(secret).is_valid_request(body, headers)
    except (TypeError, ValueError):  # a time that is no number, a signature that is not ASCII, a body that is no text
        return False
