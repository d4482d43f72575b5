"""Environment variables that the processes of one installation set for each other; settings are in `settings.py`."""

PARENT_PID = "LOREEL_PARENT_PID"
"""The id of the process that started this one and without which it must not live on."""

SUPERVISED = "LOREEL_SUPERVISED"
"""Set by `./loreel up` and `dev`: Redis, controller and workers are started and watched already."""
