"""Fixtures of this room's tests."""

from tests.doubles.prometheus import prometheus_fleet

__all__ = ["prometheus_fleet"]
