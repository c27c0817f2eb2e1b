"""The staging folder of a corpus that lives in a store: where its runs work, and what is sent.

STAGING/NAME/
  .lock  .work-KEY/       as in any folder of a corpus
  .seen.json              latest.json of the store as a run last saw it; which versions lie there
  latest.json             the same pointer, so that a run finds its parent
  VERSION/                a copy of the newest release, or of its rows: what a run is compared with
  VERSION/, -failed/      any other is made and not sent yet: the next run begins by sending it
"""

import json
import shutil
from pathlib import Path

from pydantic import ValidationError

from schemas.base import Frozen
from tasks.planning.faults import disk_faults
from tasks.planning.shards import write_whole
from tasks.release.publish import LATEST, TEMPORARY, VERSION, write_latest


class Seen(Frozen):
    """What a run knows of the store.

    Args:
        latest: Content of its `latest.json`; None if there was none.
        sent: Versions in the staging folder that the store has.
    """

    latest: str | None = None
    sent: tuple[str, ...] = ()

    @property
    def content(self) -> bytes | None:
        """The content as it is stored."""
        return None if self.latest is None else self.latest.encode()


def read_seen(home: Path) -> Seen:
    """Read what is known of the store; nothing, if no run was here or the file is damaged."""
    try:
        return Seen.model_validate_json((home / ".seen.json").read_bytes())
    except (OSError, ValidationError):
        return Seen()


def note_seen(home: Path, latest: bytes | None, *, sent: tuple[str, ...]) -> None:
    """Note what the store holds, and make `latest.json` of the staging folder say the same."""
    text = None if latest is None else latest.decode("utf-8", "replace")
    write_whole(home / ".seen.json", json.dumps({"latest": text, "sent": sent}).encode())
    if latest is not None:
        write_latest(home, latest)
    else:
        with disk_faults(home):
            (home / LATEST).unlink(missing_ok=True)


def unsent(home: Path) -> list[Path]:
    """List the versions that were made here and are not known to have arrived, oldest first."""
    if not home.is_dir():
        return []
    sent = read_seen(home).sent
    found = (path for path in home.iterdir() if VERSION.fullmatch(path.name))
    return sorted(path for path in found if path.is_dir() and path.name not in sent)


def forget(home: Path, *, but: str | None = None) -> None:
    """Delete the copies of versions that the store has, but for one."""
    for name in read_seen(home).sent:
        if name != but and VERSION.fullmatch(name):
            drop(home / name)


def drop(version: Path) -> None:
    """Delete a version of the staging folder; one whose deletion breaks off is swept later."""
    if not version.is_dir():
        return
    with disk_faults(version):
        gone = version.with_name(f"{TEMPORARY}{version.name}")
        version.rename(gone)
        shutil.rmtree(gone)
