"""Microsoft's own schema of the app manifest (npm `@microsoft/app-manifest`), where it is installed.

It is pinned in `tests/doubles/npm`. Where it is missing, its tests are skipped, unless `CI` is set: then they fail.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

_INSTALL = "npm ci --prefix tests/doubles/npm --ignore-scripts"
_SCHEMAS = Path(__file__).with_name("npm") / "node_modules/@microsoft/app-manifest/build/json-schemas/teams"


def mistakes(manifest: dict[str, Any], *, version: str | None = None) -> list[str]:
    """What the schema of the manifest's version, or of another one, says against it: `path: message`."""
    path = _SCHEMAS / f"v{version or manifest['manifestVersion']}" / "MicrosoftTeams.schema.json"
    if not path.is_file():
        reason = f"Microsoft's manifest schema is not installed; run: {_INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return sorted(f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest))
