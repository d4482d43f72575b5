"""Fixtures that every test may ask for: `home`, `redis_server`, `ada`, `processes` (see tests/workshop.py)."""

pytest_plugins = ["tests.workshop"]
