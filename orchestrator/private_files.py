"""What the studio writes is readable for its own account only: footage, captions, weights, logs and keys."""

import os
from contextlib import suppress
from pathlib import Path

UMASK = 0o077


def keep_files_private(data_dir: Path) -> None:
    """Creates files as 0600 and folders as 0700 from now on, also in child processes; closes the data folder.

    What an earlier version left in the folder with wider modes is closed with it.
    """
    os.umask(UMASK)
    with suppress(
        FileNotFoundError, PermissionError
    ):  # made later; or another account's, which shares it with this one
        data_dir.chmod(0o700)
