"""Data that lies in a store or on the web, copied once to this machine and read from there.

CACHE/data/KEY/MARK/NAME        a file, or a folder with the files of a dataset

KEY is the URI's, MARK that of what the store says of it: etag, time, size. So an object that has
changed is fetched anew, and a copy is never changed; whoever needs the space deletes the folder.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.errors import CorpusmithError, InputError, RunError
from schemas.uri import local_path, uri_fault, without_secrets
from tasks.planning.faults import disk_faults
from tasks.release.data_input import SUFFIXES
from tasks.release.publish import LATEST, TEMPORARY, Latest
from tasks.release.stores import (
    CREDENTIALS,
    cache_folder,
    key_of,
    lacks_access,
    open_files,
    package_hint,
    reason,
)

MOST_BYTES = 50 * 10**9
_BLOCK_BYTES = 1 << 20
_SIGNS = (
    *("ETag", "etag", "md5Hash", "blob_id"),
    *("LastModified", "Last-Modified", "updated", "mtime", "created"),
)
"""What stores call the signs of a file that change when it does."""
_PUBLIC = "what a recipe names is read without credentials; with --set, those of the environment "


@dataclass(frozen=True, slots=True)
class _Source:
    """Files of a store that make one dataset.

    Args:
        files: The store, of fsspec.
        uri: What the user named.
        name: The file's name, or the folder's.
        found: What the store says of each file, by its path there.
    """

    files: Any
    uri: str
    name: str
    found: Mapping[str, Mapping[str, Any]]

    @property
    def is_file(self) -> bool:
        return len(self.found) == 1 and PurePosixPath(next(iter(self.found))).name == self.name

    @property
    def is_marked(self) -> bool:
        """Whether a change of any file would show before it is fetched."""
        return all(any(facts.get(sign) for sign in _SIGNS) for facts in self.found.values())

    @property
    def mark(self) -> str:
        """Hash of what the store says of the files: it changes when one of them does."""
        said = {
            path: [str(facts.get(sign)) for sign in (*_SIGNS, "size")]
            for path, facts in sorted(self.found.items())
        }
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def copy_into(self, folder: Path) -> None:
        """Fetch the files into a folder that is there, under `name`."""
        inside = folder if self.is_file else folder / self.name
        with disk_faults(inside):
            inside.mkdir(exist_ok=True)
        room = MOST_BYTES
        for path, facts in self.found.items():
            own = inside / PurePosixPath(path).name
            size = facts.get("size")
            if size is None:
                self._stream(path, own, most=room)
            else:
                self.files.get_file(path, str(own))
            room -= (came := own.stat().st_size)
            if size not in (None, came):
                raise OSError(f"{came} of {size} bytes of {own.name} came")

    def _stream(self, path: str, target: Path, *, most: int) -> None:
        with self.files.open(path, "rb") as source, target.open("wb") as file:
            while block := source.read(_BLOCK_BYTES):
                if file.tell() + len(block) > most:
                    raise _too_large(self.uri)
                file.write(block)


def local_copy(place: str | Path, *, anonymous: bool = False) -> Path:
    """Return data as a path of this machine: itself, or the copy of what a URI names.

    A folder's copy holds its Parquet, CSV and JSON lines files, or those of its `data/`, which is
    what a release is read by; a corpus, `URI/NAME`, stands for its newest release.

    Args:
        place: A path; or the URI of a file or folder, in any protocol of fsspec.
        anonymous: Whether to leave the credentials of the environment alone.

    Raises:
        InputError: `CS-D005` if there is nothing, or no access, or more than 50 GB; or if the URI
            holds a secret, or its protocol is not known or not installed.
        RunError: `CS-D006` if the store does not answer; `CS-O004` if the disk is full.
    """
    if (path := local_path(place)) is not None:
        return path
    uri = str(place).rstrip("/")
    if (fault := uri_fault(uri)) is not None:
        raise _refused(without_secrets(uri), fault, "give credentials by the environment")
    with _faults(uri, anonymous=anonymous):
        source = _source_of(uri, anonymous=anonymous)
        if sum(facts.get("size") or 0 for facts in source.found.values()) > MOST_BYTES:
            raise _too_large(uri)
        final = cache_folder() / "data" / key_of(uri) / source.mark
        if not (source.is_marked and final.is_dir()):
            _fetch(source, final)
            if _source_of(uri, anonymous=anonymous).mark != source.mark:
                shutil.rmtree(final, ignore_errors=True)
                raise OSError("it was changed while it was read")
    return final / source.name


def optional_copy(place: str | Path | None) -> Path | None:
    """Return what `local_copy` does; None for None."""
    return None if place is None else local_copy(place)


def _source_of(uri: str, *, anonymous: bool) -> _Source:
    files, root = open_files(uri, anonymous=anonymous)
    facts = files.info(root)
    if facts["type"] != "directory":
        return _Source(files, uri, PurePosixPath(root).name, {root: facts})
    if files.exists(f"{root}/{LATEST}"):
        root = f"{root}/{Latest.model_validate_json(files.cat_file(f'{root}/{LATEST}')).version}"
    for folder in (root, f"{root}/data"):
        listed = files.ls(folder, detail=True) if files.isdir(folder) else []
        found = {
            one["name"]: one
            for one in listed
            if one["type"] == "file" and PurePosixPath(one["name"]).suffix.lower() in SUFFIXES
        }
        if found:
            return _Source(files, uri, PurePosixPath(root).name, found)
    hint = "name a file, its folder, or a release"
    raise _refused(uri, f"it holds no {', '.join(SUFFIXES)} files", hint)


def _fetch(source: _Source, final: Path) -> None:
    """Copy the files under a temporary name; what has arrived whole gets its own."""
    draft = final.with_name(f"{TEMPORARY}{final.name}-{os.getpid()}")
    with disk_faults(draft):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
    try:
        source.copy_into(draft)
        with disk_faults(final):
            if not source.is_marked:
                shutil.rmtree(final, ignore_errors=True)
            # Another process may have fetched the same meanwhile.
            if not final.is_dir():
                draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _faults(uri: str, *, anonymous: bool) -> Iterator[None]:
    """Turn whatever a library of a store raises into an error with a code."""
    try:
        yield
    except CorpusmithError:
        raise
    except Exception as error:
        # Each store has exceptions of its own, which share no ancestor.
        if isinstance(error, FileNotFoundError):
            what, hint = "there is nothing at this address", "check the address"
        elif lacks_access(error):
            what, hint = "there is no access", f"{_PUBLIC}are used" if anonymous else CREDENTIALS
        elif isinstance(error, ImportError) or "rotocol" in str(error):
            what, hint = "its protocol is not known", package_hint(uri)
        else:
            raise RunError(
                f"the data cannot be fetched: {reason(error)}",
                code="CS-D006",
                place=uri,
                hint="check the network, and run the same command again",
                retryable=True,
            ) from error
        raise _refused(uri, f"{what} ({reason(error)})", hint) from error


def _too_large(uri: str) -> InputError:
    hint = "name a part of it, or fetch it by other means and name the path"
    return _refused(uri, f"it is larger than {MOST_BYTES / 1e9:.0f} GB", hint)


def _refused(place: str, what: str, hint: str) -> InputError:
    return InputError(f"the data cannot be fetched: {what}", code="CS-D005", place=place, hint=hint)
