"""The fixtures that every test of the workspace uses."""

from tests.doubles.slack import slack, standin

__all__ = ["slack", "standin"]
