"""Fixtures that every test may ask for.

`home`, `redis_server`, `ada`, `processes` stand in tests/workshop.py; `app_server`, `browser`, `page` in tests/running.py.
"""

pytest_plugins = ["tests.workshop", "tests.running"]
