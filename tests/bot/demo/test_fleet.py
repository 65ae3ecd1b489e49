"""The sample company tells the same story whenever the demo is started."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.company import write_company
from bot.demo.fleet import FLEET, hourly_events, write_fleet
from bot.reliability import Assessment, Reliability, State, Tables, load_definitions
from bot.settings import load_settings

NOW = datetime(2026, 11, 18, 10, 20, tzinfo=UTC)


async def assess(folder: Path, at: datetime) -> Assessment:
    return await Reliability(load_definitions([folder]), {"csv": Tables()}).assess(None, at)


@pytest.mark.parametrize("weekday", range(7))
@pytest.mark.parametrize("hour", [0, 15])
async def test_the_fleet_shows_every_kind_of_service_at_any_hour_of_any_day(
    tmp_path: Path, weekday: int, hour: int
) -> None:
    now = datetime(2026, 11, 16, hour, 41, tzinfo=UTC) + timedelta(days=weekday)
    write_fleet(tmp_path, now)
    found = await assess(tmp_path, now)
    assert {item.service: item.state for item in found.items} == {
        "checkout": State.EXHAUSTED,
        "payments": State.AT_RISK,
        "search": State.OK,
        "catalog": State.OK,
        "notifications": State.OK,
        "partner-api": State.LOW_VOLUME,
    }
    burning = {item.service: item.figures.burn["7d"] or 0 for item in found.items}
    assert burning["search"] > 1, "yesterday's incident makes search burn, though its budget holds"


async def test_a_demo_left_open_does_not_go_stale(tmp_path: Path) -> None:
    write_fleet(tmp_path, NOW)
    found = await assess(tmp_path, NOW + timedelta(days=2))
    assert State.STALE not in {item.state for item in found.items}


def test_the_same_moment_gives_the_same_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_company(first, NOW)
    write_company(second, NOW + timedelta(minutes=5))
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    assert [(first / name).read_bytes() for name in names] == [(second / name).read_bytes() for name in names]


def test_past_hours_don_t_change_as_time_goes_by() -> None:
    later = NOW + timedelta(hours=3)
    for service in FLEET:
        before, after = dict_of(service.name, NOW), dict_of(service.name, later)
        shared = before.keys() & after.keys()
        assert len(shared) > 1000
        assert {hour: before[hour] for hour in shared} == {hour: after[hour] for hour in shared}


def dict_of(name: str, now: datetime) -> dict[datetime, tuple[int, int]]:
    service = next(service for service in FLEET if service.name == name)
    return {hour: (bad, total) for hour, bad, total in hourly_events(service, now)}


def test_the_company_s_settings_are_valid(tmp_path: Path) -> None:
    write_company(tmp_path, NOW)
    environ = {"DIRECTOR_CONFIG": str(tmp_path / "director.yml"), "DIRECTOR_SLOS": str(tmp_path / "slos")}
    settings = load_settings(environ, tmp_path)
    assert set(settings.file.services) == {service.name for service in FLEET}
    assert settings.workspace == "Fernhill Outdoor"
