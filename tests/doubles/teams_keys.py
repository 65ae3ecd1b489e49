"""What the double signs with and what it asks of a bot: keys, tokens, and the places where both are got."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://api.botframework.com"
SCOPE = "https://api.botframework.com/.default"


@functools.cache
def made(name: str) -> rsa.RSAPrivateKey:
    """A key of this name, always the same one in this process: making one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Keys:
    """The channel's signing keys; `rotate` makes a new one, `retire` takes the old ones out of what is published."""

    def __init__(self) -> None:
        self._numbers = 0
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.stranger = made("stranger")
        self.kid = ""
        self.rotate()

    def rotate(self, *, retire: bool = False) -> None:
        if retire:
            self._keys.clear()
        self._numbers += 1
        self.kid = f"key-{self._numbers}"
        self._keys[self.kid] = made(self.kid)

    def published(self) -> dict[str, Any]:
        """The key set as the channel publishes it."""
        found = []
        for kid, key in self._keys.items():
            known = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
            del known["key_ops"]
            found.append({**known, "use": "sig", "kid": kid, "x5t": kid, "endorsements": ["msteams"]})
        return {"keys": found}

    def token(self, *, audience: str, service_url: str, forged: str | None = None, **claims: Any) -> str:
        """A channel's token for a bot; a claim that is None is left out.

        `forged`: "none", "HS256" (signed with the published key as secret), "stranger" (a key nobody published),
        "kid" (names a key that there isn't).
        """
        now = int(time.time())
        known = {"iss": ISSUER, "aud": audience, "iat": now, "nbf": now, "exp": now + 3600, "serviceurl": service_url}
        body = {name: value for name, value in {**known, **claims}.items() if value is not None}
        headers = {"kid": self.kid, "x5t": self.kid}
        key = self._keys[self.kid]
        match forged:
            case "none":
                return _encoded({"typ": "JWT", "alg": "none", **headers}, body, b"")
            case "HS256":
                public = RSAAlgorithm.to_jwk(key.public_key()).encode()
                head = {"typ": "JWT", "alg": "HS256", **headers}
                signed = _encoded(head, body, None).encode()
                return _encoded(head, body, hmac.new(public, signed, hashlib.sha256).digest())
            case "stranger":
                return jwt.encode(body, self.stranger, algorithm="RS256", headers=headers)
            case "kid":
                return jwt.encode(body, key, algorithm="RS256", headers={"kid": "nobody-knows", "x5t": "nobody-knows"})
            case _:
                return jwt.encode(body, key, algorithm="RS256", headers=headers)


def _encoded(head: Mapping[str, Any], body: Mapping[str, Any], signature: bytes | None) -> str:
    parts = [json.dumps(head).encode(), json.dumps(body).encode(), *(() if signature is None else (signature,))]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
