"""The Teams app package: valid by Microsoft's schema, its icons as Teams wants them, the same bytes each time."""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.commands import Help, Unknown, parse, parse_mention
from bot.errors import UsageError
from handlers.teams.bundle import AppPackage
from tests.doubles.app_manifest import mistakes

PACKAGE = AppPackage(
    client_id="6f2a1c1e-5a0c-4f7e-9d0b-3f0d2c8a7b11",
    version="1.2.0",
    name="Director",
    developer="Backend Engineering",
    website="https://director.example",
    privacy="https://director.example/privacy",
    terms="https://director.example/terms",
)
LISTS = PACKAGE.manifest()["bots"][0]["commandLists"]


def opened(package: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(package))


def icon(name: str) -> Image.Image:
    return Image.open(io.BytesIO(opened(PACKAGE.zipped()).read(name)))


def spoiled(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(PACKAGE.manifest()) | changes


def test_the_manifest_is_valid_by_microsofts_schema() -> None:
    assert mistakes(PACKAGE.manifest()) == []


def test_a_manifest_at_the_edge_of_every_length_is_valid_too() -> None:
    longest = replace(PACKAGE, name="n" * 30, developer="d" * 32, website="https://" + "w" * 2040)

    assert mistakes(longest.manifest()) == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (spoiled(id="director"), "$.id: 'director' does not match"),
        (spoiled(accentColor="navy"), "$.accentColor: 'navy' does not match"),
        (spoiled(packageName="com.example"), "$: Additional properties are not allowed"),
        (spoiled(name={"short": "n" * 31}), "is too long"),
        (spoiled(bots=[{"botId": PACKAGE.client_id, "scopes": ["everywhere"]}]), "'everywhere' is not one of"),
        ({key: value for key, value in spoiled().items() if key != "icons"}, "'icons' is a required property"),
    ],
)
def test_a_spoiled_manifest_fails_the_same_check(manifest: dict[str, Any], said: str) -> None:
    assert any(said in mistake for mistake in mistakes(manifest))


def test_slash_commands_need_this_version_of_the_schema() -> None:
    assert any("supportsTargetedMessages" in mistake for mistake in mistakes(PACKAGE.manifest(), version="1.28"))


def test_the_zip_holds_the_manifest_and_both_icons_in_its_root_and_nothing_else() -> None:
    archive = opened(PACKAGE.zipped())

    assert archive.testzip() is None
    assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
    assert json.loads(archive.read("manifest.json")) == PACKAGE.manifest()
    assert PACKAGE.manifest()["icons"] == {"color": "color.png", "outline": "outline.png"}


def test_the_same_settings_give_the_same_bytes() -> None:
    assert PACKAGE.zipped() == replace(PACKAGE).zipped()
    assert PACKAGE.zipped() != replace(PACKAGE, version="1.2.1").zipped()
    assert {entry.date_time for entry in opened(PACKAGE.zipped()).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_apps_id_is_the_bots_so_that_a_new_package_updates_the_app() -> None:
    first = PACKAGE.manifest()
    later = replace(PACKAGE, client_id=PACKAGE.client_id.upper(), version="2.0.0", name="Head").manifest()

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["id"])
    assert (later["id"], later["bots"][0]["botId"]) == (first["id"], first["bots"][0]["botId"])
    assert first["bots"][0]["botId"] == PACKAGE.client_id


def test_what_differs_from_one_installation_to_the_next_is_filled_in() -> None:
    manifest = PACKAGE.manifest()

    assert "${" not in json.dumps(manifest)
    assert manifest["version"] == "1.2.0"
    assert manifest["name"]["short"] == "Director"
    assert manifest["developer"] == {
        "name": "Backend Engineering",
        "websiteUrl": "https://director.example",
        "privacyUrl": "https://director.example/privacy",
        "termsOfUseUrl": "https://director.example/terms",
    }


def test_a_name_full_of_quotes_stays_a_name() -> None:
    name = '", "id": "${VERSION}'
    manifest = json.loads(opened(replace(PACKAGE, name=name).zipped()).read("manifest.json"))

    assert (manifest["name"]["short"], manifest["id"]) == (name, PACKAGE.client_id)


def test_it_asks_for_no_message_that_is_not_meant_for_it() -> None:
    manifest = PACKAGE.manifest()

    assert {"authorization", "webApplicationInfo"}.isdisjoint(manifest)
    assert manifest["bots"][0]["scopes"] == ["personal", "team", "groupChat"]
    assert manifest["validDomains"] == []


def test_it_can_be_added_to_private_and_shared_channels_too() -> None:
    assert PACKAGE.manifest()["supportsChannelFeatures"] == "tier1"


def test_slash_commands_are_offered_where_teams_has_them_and_each_is_understood() -> None:
    slash = [entry for entry in LISTS if "slash" in entry["triggers"]]

    assert [entry["scopes"] for entry in slash] == [["team", "groupChat"]]  # there are none in a personal chat
    titles = [command["title"] for command in slash[0]["commands"]]
    assert titles == ["status", "review", "digest", "plan", "schedule", "help"]
    assert [title for title in titles if isinstance(parse(title), Unknown)] == []


def test_what_the_descriptions_tell_people_to_type_is_understood() -> None:
    said = [command["description"] for entry in LISTS for command in entry["commands"]]
    examples = [example for text in said for example in re.findall(r": ((?:status|review|plan|schedule) .+)", text)]

    assert len(examples) == 8
    assert [example for example in examples if isinstance(parse(example), Unknown | Help)] == []


def test_prompts_that_hold_a_command_are_commands_in_a_mention() -> None:
    prompts = [command["prompt"] for entry in LISTS for command in entry["commands"] if command.get("type") == "prompt"]

    assert [type(parse_mention(prompt)).__name__ for prompt in prompts] == ["NoneType", "MakePlan", "Schedule"]


def test_the_colour_icon_is_a_full_square_of_192_pixels_with_its_symbol_in_the_middle() -> None:
    picture = icon("color.png")
    rgb = picture.convert("RGB")
    background = rgb.getpixel((0, 0))

    assert (picture.format, picture.size, picture.mode) == ("PNG", (192, 192), "RGB")  # no transparency
    drawn = [(x, y) for x in range(192) for y in range(192) if rgb.getpixel((x, y)) != background]
    assert drawn
    assert all(48 <= x < 144 and 48 <= y < 144 for x, y in drawn)  # the corners are cropped by Teams
    assert "#{:02x}{:02x}{:02x}".format(*background) == PACKAGE.manifest()["accentColor"]  # type: ignore[misc]


def test_the_outline_icon_is_white_on_nothing_in_32_pixels() -> None:
    picture = icon("outline.png")
    pixels = [picture.getpixel((x, y)) for x in range(32) for y in range(32)]

    assert (picture.format, picture.size, picture.mode) == ("PNG", (32, 32), "RGBA")
    assert {pixel[:3] for pixel in pixels} == {(255, 255, 255)}  # type: ignore[index]
    alpha = [pixel[3] for pixel in pixels]  # type: ignore[index]
    assert (min(alpha), max(alpha)) == (0, 255)
    assert 0.1 < sum(alpha) / 255 / 1024 < 0.5  # an outline, neither a dot nor a disc


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client_id": "director"}, "is not a GUID"),
        ({"client_id": f"{PACKAGE.client_id}x"}, "is not a GUID"),
        ({"version": "1.2"}, "The version '1.2' has to be three numbers"),
        ({"version": "0.1.0.dev3"}, "has to be three numbers"),
        ({"name": ""}, "The name '' has to have 1 to 30 characters"),
        ({"name": "n" * 31}, "has to have 1 to 30 characters"),
        ({"name": "a\nb"}, "on one line"),
        ({"developer": "d" * 33}, "The developer's name 'd"),
        ({"website": "http://director.example"}, "The website address 'http://director.example' has to begin"),
        ({"privacy": "director.example"}, "The privacy address"),
        ({"terms": "https://"}, "The terms address"),
        ({"terms": "https://[director"}, "The terms address"),
        ({"terms": "https://:443"}, "The terms address"),
        ({"terms": "https://" + "w" * 2041}, "The terms address"),
    ],
)
def test_what_teams_would_not_take_is_refused_with_the_remedy(change: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        replace(PACKAGE, **change)


def test_a_secret_given_for_the_id_is_not_shown() -> None:
    with pytest.raises(UsageError) as refused:
        replace(PACKAGE, client_id="abc8Q~very-secret")

    assert "very-secret" not in str(refused.value)


def test_the_sources_hold_no_installations_ids() -> None:
    template = Path(__file__).parents[3] / "deploy" / "teams" / "manifest.json"

    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", template.read_text(encoding="utf-8"))
