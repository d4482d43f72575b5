"""Who acts at the command line, where no account is asked for: access to the data folder is enough."""

import getpass

from orchestrator.services.audit.recording import Person


def person_at_the_command_line() -> Person:
    """The audit log names the user of the operating system."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        user = "unknown user"
    return Person(None, f"command line ({user})")
