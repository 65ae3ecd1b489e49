"""docs/teams.md says what the code does: its words, its log lines, its addresses, its options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.demo import guide
from handlers import teams
from handlers.teams import activity
from handlers.teams.endpoint import PATH
from handlers.teams.pace import GAP
from handlers.teams.sdk import CHINA, INSTALL, PUBLIC, US_GOV

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
WORDS = " ".join(DOCS.split())  # as it reads, whatever line it stands on
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "handlers" / "teams").glob("*.py")))
TROUBLE = [
    line.split(" | ")[0].lstrip("| ") for line in DOCS.partition("## When something")[2].splitlines() if " | " in line
]


def test_the_mark_of_a_repeated_answer_is_quoted_as_people_see_it() -> None:
    assert activity.REPEATED in WORDS
    assert f"every {GAP} seconds" in WORDS


@pytest.mark.parametrize("event", sorted(set(re.findall(r"`(teams\.[a-z_]+)`", DOCS)) - {"teams.md"}))
def test_log_lines_that_it_names_are_written(event: str) -> None:
    assert f'"{event}"' in CODE


@pytest.mark.parametrize("code", sorted(set(re.findall(r"AADSTS(\d+)", DOCS))))
def test_refusals_of_microsofts_login_that_it_explains_are_explained_in_the_log_too(code: str) -> None:
    assert re.search(rf"\b{code}: ", CODE)


@pytest.mark.parametrize(
    "words",
    [
        "Microsoft refuses the bot's credentials (",
        "No token from Microsoft's login",
        "This host gives the process no managed identity",
        "the keys of Teams' tokens could not be fetched",
        "I am not a member of that conversation",
        "BotNotInConversationRoster",
        "Teams refuses the bot's token",
    ],
)
def test_what_people_see_in_trouble_is_quoted_from_the_code(words: str) -> None:
    assert any(words in cell for cell in TROUBLE)
    assert words in CODE


def test_it_says_how_to_install_what_is_missing_as_the_code_does() -> None:
    assert "Microsoft Teams is configured, but what it needs is not installed" in INSTALL
    assert "pip install 'backend-director[teams]'" in INSTALL
    assert "pip install 'backend-director[teams]'" in DOCS


def test_the_addresses_of_other_clouds_are_the_sdks() -> None:
    for cloud in (US_GOV, CHINA):
        assert f"| `{cloud.login_endpoint}` | `{cloud.openid_metadata_url}` |" in DOCS
    assert PUBLIC.login_endpoint.removeprefix("https://") in DOCS
    assert f"https://director.example{PATH}" in DOCS


def test_the_playground_is_started_as_the_demo_says() -> None:
    (started,) = [line.strip() for line in guide("http://127.0.0.1:1", 3978).splitlines() if "npx" in line]

    assert started in DOCS.splitlines()


def test_every_option_of_the_manifest_that_it_names_exists() -> None:
    section = DOCS.partition("## 5.")[2].partition("## 6.")[0]
    known = (ROOT / "handlers" / "cli" / "manifest.py").read_text(encoding="utf-8")
    named = re.findall(r"--[a-z-]+", section)

    assert named
    assert [option for option in named if f'"{option}"' not in known] == []


def test_every_variable_that_it_names_is_read() -> None:
    settings = (ROOT / "bot" / "settings.py").read_text(encoding="utf-8")

    assert [name for name in set(re.findall(r"TEAMS_[A-Z_]+", DOCS)) if name not in settings] == []


def test_every_place_that_it_leads_to_exists() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in DOCS.splitlines()
        if line[:1] == "#"
    }
    links = re.findall(r"\]\(([^)]+)\)", DOCS)
    readme = re.findall(r"docs/teams\.md#([a-z-]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert [link for link in links if link.startswith("#") and link[1:] not in headings] == []
    assert [link for link in links if link[0] not in "#h" and not (ROOT / "docs" / link).is_file()] == []
    assert readme
    assert [anchor for anchor in readme if anchor not in headings] == []


def test_the_map_of_the_edge_names_every_module_once() -> None:
    modules = {path.name for path in Path(teams.__file__).parent.glob("*.py")} - {"__init__.py"}

    assert sorted(re.findall(r"\w+\.py", teams.__doc__ or "")) == sorted(modules)
