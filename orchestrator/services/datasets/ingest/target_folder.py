"""The folder that an archive is unpacked into: gives the path of each of its files, none of them outside."""

import os
import stat
from pathlib import Path

from orchestrator.services.datasets.files import unused_path


class TargetFolder:
    """Makes the folders of an archive's files. Each folder is examined once: an archive may have 100,000 files."""

    def __init__(self, root: Path) -> None:
        self._root, self._real = str(root), os.path.realpath(root)
        self._inside: set[str] = set()

    def path_for(self, name: str) -> Path | None:
        """An unused path for a file of this name, whose folder exists; None where it would be outside."""
        if "\0" in name:  # a name in a header of pax can hold one
            return None
        path = os.path.join(self._root, name.replace("\\", "/"))
        folder = os.path.dirname(path)
        if folder not in self._inside:
            if not self._is_inside(os.path.realpath(folder)):
                return None
            os.makedirs(folder, exist_ok=True)
            self._inside.add(folder)
        if os.path.basename(path) in ("", ".", ".."):
            return None
        try:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return Path(path)
        return None if is_link else unused_path(Path(path))

    def _is_inside(self, folder: str) -> bool:
        return folder == self._real or folder.startswith(f"{self._real}{os.sep}")
