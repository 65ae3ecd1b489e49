"""Edges: Slack, Teams, the command line, the console, the clock and HTTP."""
