"""What of a release goes out into the world, once every file is what was published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from schemas.errors import InputError
from schemas.manifest import FileEntry, Manifest
from tasks.planning.shards import file_sha256
from tasks.release.publish import CHECKSUMS, LATEST, MANIFEST, latest

REJECTED = "rejected/"
"""Rejected candidates: kept with every release, sent only when someone asks for it."""
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True, slots=True)
class Shipment:
    """A release that may go out.

    Args:
        folder: The release.
        manifest: Its manifest.
        files: What is sent as it lies in the folder, in the order of paths, the manifest last.
        held_back: What stays at home.
        checksums: Content of `checksums.txt` as it is sent: lines for `files` only, so that
            `sha256sum -c` holds where they arrive.
    """

    folder: Path
    manifest: Manifest
    files: tuple[FileEntry, ...]
    held_back: tuple[FileEntry, ...]
    checksums: str

    @property
    def num_bytes(self) -> int:
        """Bytes to send."""
        return sum(entry.bytes for entry in self.files) + len(self.checksums.encode())


def pack(release: Path, *, with_rejected: bool = False, allow_failed: bool = False) -> Shipment:
    """Check every file of a release and choose those that go out.

    Only files that `checksums.txt` lists go out: nothing else that lies in the folder does.

    Args:
        release: A release folder, or a corpus's folder, of which the newest good release is taken.
        with_rejected: Whether the rejected candidates go out too.
        allow_failed: Whether a version that failed may go out, for inspection.

    Raises:
        InputError: `CS-U001` if there is no release, or one that failed and may not go; `CS-U002`
            if a file is missing or not the one that was published.
        RunError: `CS-W001` if `latest.json` is damaged.
    """
    folder = _newest(release)
    manifest = _manifest(folder)
    if manifest.verdict != "pass" and not allow_failed:
        raise InputError(
            "the release failed: it is kept for inspection, and never sent",
            code="CS-U001",
            place=str(folder),
            hint="report.html says why; generate again, and push the release that passes",
        )
    listed = _listed(folder)
    _check_manifest(folder, manifest, listed)
    entries = [_entry(folder, path, sha256) for path, sha256 in sorted(listed.items())]
    entries.sort(key=lambda entry: entry.path == MANIFEST)
    sent = [e for e in entries if with_rejected or not e.path.startswith(REJECTED)]
    lines = sorted(sent, key=lambda entry: entry.path)
    return Shipment(
        folder=folder,
        manifest=manifest,
        files=tuple(sent),
        held_back=tuple(entry for entry in entries if entry not in sent),
        checksums="".join(f"{entry.sha256}  {entry.path}\n" for entry in lines),
    )


def _newest(folder: Path) -> Path:
    if not (folder / LATEST).is_file():
        return folder
    pointer = latest(folder.parent, folder.name)
    assert pointer is not None
    return folder / PurePosixPath(pointer.path).name


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        hint = "name a folder OUT/NAME/VERSION, or OUT/NAME for its newest good release"
        raise InputError(
            "there is no release here", code="CS-U001", place=str(folder), hint=hint
        ) from None
    except (OSError, ValidationError) as error:
        raise _damaged(folder / MANIFEST, "cannot be read") from error


def _listed(folder: Path) -> dict[str, str]:
    """Read `checksums.txt`: the SHA-256 of each file, by its path inside the release."""
    try:
        lines = (folder / CHECKSUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(folder / CHECKSUMS, "cannot be read") from error
    found: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        path = PurePosixPath(match[2]) if match else PurePosixPath("..")
        if match is None or path.is_absolute() or ".." in path.parts or str(path) != match[2]:
            raise _damaged(folder / CHECKSUMS, "has a line that no release has")
        found[match[2]] = match[1]
    return found


def _check_manifest(folder: Path, manifest: Manifest, listed: Mapping[str, str]) -> None:
    """Hold the manifest against the checksums; a copy may have left its rejected rows behind."""
    if MANIFEST not in listed:
        raise _damaged(folder / CHECKSUMS, f"does not list {MANIFEST}")
    for entry in manifest.files:
        optional = entry.path.startswith(REJECTED) and entry.path not in listed
        if not optional and listed.get(entry.path) != entry.sha256:
            raise _damaged(folder / CHECKSUMS, f"and {MANIFEST} differ about {entry.path}")


def _entry(folder: Path, path: str, sha256: str) -> FileEntry:
    file = folder / path
    # A link would send what lies elsewhere.
    if file.is_symlink() or not file.is_file():
        raise _damaged(file, "is missing")
    if file_sha256(file) != sha256:
        raise _damaged(file, "is not as it was published")
    return FileEntry(path=path, sha256=sha256, bytes=file.stat().st_size)


def _damaged(file: Path, fault: str) -> InputError:
    return InputError(
        f"{file.name} {fault}",
        code="CS-U002",
        place=str(file),
        hint="a release is never changed: restore the file from a copy, or generate again",
    )
