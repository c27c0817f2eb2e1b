"""From a temporary folder to a release: version, checksums, one rename, `latest.json`."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import RunError
from schemas.manifest import Manifest
from tasks.planning.faults import disk_faults
from tasks.planning.shards import file_sha256
from tasks.release.manifest import package_versions

TEMPORARY = ".tmp-"
FAILED = "-failed"
CHECKSUMS = "checksums.txt"
LATEST = "latest.json"
MANIFEST = "manifest.json"
VERSION = re.compile(rf"(\d{{8}}T\d{{6}}Z)-[0-9a-f]{{12}}({FAILED})?")
"""Name of a version's folder: when its run began, the hash of its recipe, and if it failed."""
_TIME = "%Y%m%dT%H%M%SZ"


class Latest(Frozen):
    """What `latest.json` holds: the newest release that passed its gates."""

    version: str = Field(pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{12}$")
    path: str
    """Folder of the release, relative to the folder of `latest.json`."""
    manifest_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: str
    """UTC, ISO 8601."""


def version_name(started: datetime, recipe_sha256: str) -> str:
    """Name a release: `20261121T081500Z-abc123def456`.

    Args:
        started: When the run began; with a time zone.
        recipe_sha256: Hash of the resolved recipe, hexadecimal.

    Raises:
        ValueError: If `started` has no time zone.
    """
    if started.tzinfo is None:
        raise ValueError("the start of the run needs a time zone")
    return f"{started.astimezone(UTC).strftime(_TIME)}-{recipe_sha256[:12]}"


def later_than_all(home: Path, now: datetime, *, known: Iterable[str] = ()) -> datetime:
    """Give a run that begins a time of its own, so that names of versions sort as they began.

    Two runs may begin within one second, and a clock may be set back: then it is the second after
    that of the newest version.

    Args:
        home: `OUT/NAME`.
        now: With a time zone.
        known: Versions that stand elsewhere.

    Returns:
        `now`, or a later time.
    """
    here = [path.name for path in home.iterdir()] if home.is_dir() else []
    names = (*known, *here)
    taken = max((found[1] for name in names if (found := VERSION.fullmatch(name))), default=None)
    if taken is None:
        return now
    return max(now, datetime.strptime(taken, _TIME).replace(tzinfo=UTC) + timedelta(seconds=1))


def latest(out: Path, name: str) -> Latest | None:
    """Read which release of `name` is the newest good one; None when there is none yet.

    Raises:
        RunError: `CS-W001` if `latest.json` is damaged.
    """
    path = out / name / LATEST
    try:
        return Latest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValidationError, OSError) as error:
        raise RunError(
            "the pointer to the newest release is damaged",
            code="CS-W001",
            place=str(path),
            hint="delete the file; the next good release writes it anew",
        ) from error


def standing(home: Path, *, recipe_sha256: str) -> Path | None:
    """Find the release that a run of this recipe would only make again.

    It is the one that `latest.json` names, if it has the same recipe, inputs and weights, if it was
    made by the same version of corpusmith and of the packages that bear on rows or verdict, and if
    all of its files still stand there in their length.

    Args:
        home: `OUT/NAME`.
        recipe_sha256: Hash of everything that decides the rows.

    Raises:
        RunError: `CS-W001` if `latest.json` is damaged.
    """
    newest = latest(home.parent, home.name)
    if newest is None:
        return None
    release = home / newest.path
    try:
        content = (release / MANIFEST).read_bytes()
        lengths = {
            path.relative_to(release).as_posix(): path.stat().st_size
            for path in release.rglob("*")
            if path.is_file()
        }
    except OSError:
        return None
    found = still_whole(newest, content, lengths=lengths, recipe_sha256=recipe_sha256)
    return release if found else None


def still_whole(
    newest: Latest, content: bytes, *, lengths: Mapping[str, int], recipe_sha256: str
) -> bool:
    """Tell whether the newest release stands whole, and a run of a recipe would make it again.

    Args:
        newest: What `latest.json` says of it.
        content: Its manifest, as it lies there.
        lengths: Bytes of each file that lies there, by its path inside the release.
        recipe_sha256: Hash of everything that decides the rows.
    """
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        return False
    return (
        hashlib.sha256(content).hexdigest() == newest.manifest_sha256
        and manifest.recipe_sha256 == recipe_sha256
        and manifest.packages == package_versions()
        and all(lengths.get(entry.path) == entry.bytes for entry in manifest.files)
    )


def sweep(folder: Path) -> list[Path]:
    """Delete what dead runs left under temporary names in `OUT/NAME`.

    Call it only with the run's lock held: a live run's draft has such a name too.

    Returns:
        What was deleted.
    """
    left = sorted(folder.glob(f"{TEMPORARY}*"))
    with disk_faults(folder):
        for path in left:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return left


def write_text(path: Path, content: str) -> None:
    """Write a text file in UTF-8 with a newline at its end, its folders made as needed."""
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def write_checksums(root: Path) -> None:
    """Write `checksums.txt` over every other file under `root`, as `sha256sum -c` reads it."""
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    files.pop(CHECKSUMS, None)
    lines = [f"{file_sha256(path)}  {name}" for name, path in sorted(files.items())]
    write_text(root / CHECKSUMS, "\n".join(lines))


def publish_folder(draft: Path, manifest: Manifest) -> Path:
    """Give a finished folder its name with one rename; `latest.json` follows when it passed.

    Every file reaches the disk before the rename. A release is never overwritten: where the version
    stands already, the same run published it before it was killed, so the draft is dropped and only
    the pointer is set. A failed release is kept as `VERSION-failed`, in place of an earlier failure
    of the same version, and `latest.json` stays as it is.

    Args:
        draft: The folder under its temporary name, complete, in `OUT/NAME`.
        manifest: Its manifest.

    Returns:
        The folder under its final name.

    Raises:
        InputError: `CS-O001` if the folder cannot be written.
        RunError: `CS-O004` if the disk is full.
    """
    passed = manifest.verdict == "pass"
    final = draft.parent / (manifest.version + ("" if passed else FAILED))
    with disk_faults(final):
        for path in sorted(draft.rglob("*"), reverse=True):
            _fsync(path)
        _fsync(draft)
        if passed and final.exists():
            shutil.rmtree(draft)
        else:
            if final.exists():
                # Renamed first: a reader meets the old failure or the new one, never half of one.
                old = final.with_name(f"{TEMPORARY}old-{final.name}")
                final.rename(old)
                shutil.rmtree(old)
            draft.rename(final)
        _fsync(final.parent)
    if passed:
        point_latest(final)
    return final


def point_latest(release: Path) -> None:
    """Make `latest.json` name a published release, atomically; naming it again changes nothing."""
    write_latest(release.parent, latest_of(release))


def latest_of(release: Path) -> bytes:
    """Return what `latest.json` holds when it names this release."""
    path = release / MANIFEST
    with disk_faults(path):
        manifest = Manifest.model_validate_json(path.read_bytes())
    pointer = Latest(
        version=manifest.version,
        path=release.name,
        manifest_sha256=file_sha256(path),
        created=manifest.created,
    )
    return (json.dumps(pointer.model_dump(), indent=2) + "\n").encode()


def write_latest(home: Path, content: bytes) -> None:
    """Replace `latest.json` of a corpus, atomically."""
    target = home / LATEST
    temporary = target.with_name(f"{TEMPORARY}{LATEST}-{os.getpid()}")
    try:
        with disk_faults(target):
            temporary.write_bytes(content)
            _fsync(temporary)
            temporary.replace(target)
            _fsync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
