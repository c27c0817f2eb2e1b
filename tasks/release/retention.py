"""Which older versions of a corpus go when a new one has come."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tasks.planning.faults import disk_faults
from tasks.release.publish import FAILED, TEMPORARY, VERSION, latest


def retire_releases(home: Path, *, keep: int) -> list[Path]:
    """Delete all but the newest releases; the one that `latest.json` names always stays.

    Call it only with the lock of `home` held. Whatever is no version of the corpus is left alone.

    Args:
        home: `OUT/NAME`.
        keep: Releases that stay, the one of `latest.json` among them; at least 1.

    Returns:
        What was deleted, newest first.

    Raises:
        ValueError: If `keep` is below 1.
        RunError: `CS-W001` if `latest.json` is damaged; nothing is deleted then.
    """
    if keep < 1:
        raise ValueError(f"keep must be at least 1, not {keep}")
    newest = latest(home.parent, home.name)
    named = None if newest is None else newest.path
    good = [path for path in _versions(home) if not path.name.endswith(FAILED)]
    ordered = sorted(good, key=lambda path: path.name != named)
    return _delete(ordered[keep:])


def retire_failures(home: Path, *, keep: int) -> list[Path]:
    """Delete all but the newest failed versions, as `retire_releases` does with the good ones."""
    if keep < 1:
        raise ValueError(f"keep must be at least 1, not {keep}")
    return _delete([path for path in _versions(home) if path.name.endswith(FAILED)][keep:])


def _versions(home: Path) -> list[Path]:
    """List the versions in `OUT/NAME`, newest first: a version's name begins with its time."""
    found = (path for path in home.iterdir() if VERSION.fullmatch(path.name))
    return sorted((path for path in found if path.is_dir() and not path.is_symlink()), reverse=True)


def _delete(doomed: Iterable[Path]) -> list[Path]:
    # Renamed first: a reader meets a whole version or none, and the next run sweeps what is left
    # of one whose deletion was interrupted.
    deleted = list(doomed)
    for path in deleted:
        with disk_faults(path):
            gone = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
            path.rename(gone)
            shutil.rmtree(gone)
    return deleted
