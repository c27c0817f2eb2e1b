"""The releases of one corpus in a store: `URI/NAME`, read and written without a rename."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import RunError
from schemas.manifest import Manifest
from schemas.uri import protocol_of
from tasks.release.publish import (
    FAILED,
    LATEST,
    MANIFEST,
    VERSION,
    Latest,
    still_whole,
)
from tasks.release.shipment import Shipment
from tasks.release.store_rows import copy_rows, parse_manifest
from tasks.release.stores import (
    Say,
    error_code,
    listing,
    open_files,
    put_release,
    remove_release,
    store_faults,
)

_CONDITIONAL = ("s3", "s3a")
_MOVED = ("PreconditionFailed", "ConditionalRequestConflict")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What `latest.json` of a store said when it was read.

    Args:
        content: Its bytes.
        etag: The store's own mark of this content; None where it has none.
    """

    content: bytes
    etag: str | None

    def read(self, place: str) -> Latest:
        """Parse it.

        Raises:
            RunError: `CS-W001` if it is damaged.
        """
        try:
            return Latest.model_validate_json(self.content)
        except ValidationError as error:
            raise RunError(
                "the pointer to the newest release is damaged",
                code="CS-W001",
                place=place,
                hint="delete the object; the next good release writes it anew",
            ) from error


@dataclass(frozen=True)
class CorpusStore:
    """The folder of one corpus in a store.

    Every method raises `InputError` `CS-O001` where the place is not there or refuses, and
    `RunError` `CS-U004` where the store does not answer.

    Args:
        uri: `URI/NAME`.
    """

    uri: str

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        return open_files(self.uri)

    def place(self, name: str) -> str:
        """Name a file or folder in it."""
        return f"{self.uri}/{name}"

    def pointer(self) -> Pointer | None:
        """Read `latest.json`; None if there is none."""
        files, root = self._opened
        with store_faults(self.uri):
            files.invalidate_cache()
            try:
                # In this order: content that is newer than its mark is refused when it is replaced.
                etag = files.info(f"{root}/{LATEST}").get("ETag")
            except FileNotFoundError:
                etag = None
            try:
                return Pointer(files.cat_file(f"{root}/{LATEST}"), etag)
            except FileNotFoundError as error:
                if error_code(error) == "NoSuchBucket":
                    raise
                return None

    def standing(self, *, recipe_sha256: str) -> str | None:
        """Find the newest release, if a run of this recipe would only make it again."""
        files, root = self._opened
        pointer = self.pointer()
        if pointer is None:
            return None
        newest = pointer.read(self.place(LATEST))
        folder = f"{root}/{newest.version}"
        with store_faults(self.uri):
            try:
                content = files.cat_file(f"{folder}/{MANIFEST}")
            except FileNotFoundError:
                return None
            sizes = {path: facts["size"] for path, facts in listing(files, folder).items()}
        whole = still_whole(newest, content, lengths=sizes, recipe_sha256=recipe_sha256)
        return self.place(newest.version) if whole else None

    def probe(self) -> None:
        """Write and delete a small object, so that a refusal shows before anything is generated."""
        files, root = self._opened
        if protocol_of(self.uri) == "hf":
            return  # each write is a commit that everyone sees
        with store_faults(self.uri):
            files.pipe_file(f"{root}/.probe", b"")
            # Whoever may write but not delete can publish: only --keep deletes anything else.
            with suppress(PermissionError):
                files.rm_file(f"{root}/.probe")

    def send(self, shipment: Shipment, *, say: Say = lambda _: None) -> str:
        """Send a version, its manifest last; one that lies there already is left as it is.

        A failed version replaces an earlier failure of the same name.

        Returns:
            Its URI.

        Raises:
            RunError: `CS-U006` if another good release of the same name lies there.
        """
        files, root = self._opened
        passed = shipment.manifest.verdict == "pass"
        name = shipment.manifest.version + ("" if passed else FAILED)
        folder = f"{root}/{name}"
        with store_faults(self.place(name)):
            files.invalidate_cache()
            if files.exists(f"{folder}/{MANIFEST}"):
                own = (shipment.folder / MANIFEST).read_bytes()
                if files.cat_file(f"{folder}/{MANIFEST}") == own:
                    return self.place(name)
                if passed:
                    raise self._moved(name)
                remove_release(files, folder)
            put_release(files, folder, shipment, own_folder=True, say=say)
        return self.place(name)

    def point(self, content: bytes, *, seen: bytes | None) -> None:
        """Replace `latest.json` with one put, unless somebody else has meanwhile.

        S3 itself refuses the put if the object is no longer the one that was compared; elsewhere
        another writer has the moment between comparing and writing.

        Args:
            content: What it shall hold.
            seen: What it held when the run began; None if it was not there.

        Raises:
            RunError: `CS-U006` if it holds something else by now; it stays so.
        """
        files, root = self._opened
        found = self.pointer()
        if found is not None and found.content == content:
            return
        if found is not None and found.content != seen:
            raise self._moved(found.read(self.place(LATEST)).version)
        with store_faults(self.place(LATEST)):
            try:
                files.pipe_file(f"{root}/{LATEST}", content, **_condition(self.uri, found))
            except Exception as error:
                code = error_code(error)
                if code == "NotImplemented":
                    files.pipe_file(f"{root}/{LATEST}", content)
                elif code not in _MOVED and not isinstance(error, FileExistsError):
                    raise
                # A put whose answer was lost is tried again, and refused for its own success.
                elif files.cat_file(f"{root}/{LATEST}") != content:
                    raise self._moved("an unknown version") from error

    def fetch_rows(self, version: str, home: Path) -> Path | None:
        """Copy manifest and rows of a release into `home/VERSION`, which is there whole or not.

        Returns:
            The folder; None if the store does not have the release, or not any more.

        Raises:
            RunError: `CS-W001` if a file is not the one that the manifest names.
        """
        files, root = self._opened
        with store_faults(self.place(version)):
            return copy_rows(files, f"{root}/{version}", home / version)

    def retire(self, *, keep: int, failed: bool) -> list[str]:
        """Delete all but the newest versions of one kind; what `latest.json` names always stays.

        What a machine that never came back has sent of a version, older than the newest release,
        goes too: without its manifest it is no release.

        Args:
            keep: Versions that stay; at least 1.
            failed: Whether failed versions are meant, or good ones.

        Returns:
            Names of the deleted versions, newest first.
        """
        files, root = self._opened
        pointer = self.pointer()
        named = "" if pointer is None else pointer.read(self.place(LATEST)).version
        with store_faults(self.uri):
            files.invalidate_cache()
            names = sorted((Path(path).name for path in files.ls(root, detail=False)), reverse=True)
            own = [n for n in names if VERSION.fullmatch(n) and n.endswith(FAILED) == failed]
            whole = [n for n in own if files.exists(f"{root}/{n}/{MANIFEST}")]
            doomed = sorted(whole, key=lambda name: name != named)[keep:]
            doomed += [name for name in own if name not in whole and name < named]
            for name in doomed:
                remove_release(files, f"{root}/{name}")
        return doomed

    def manifest(self, version: str) -> Manifest:
        """Read the manifest of a version, of a failed one as well.

        Raises:
            RunError: `CS-W001` if it is damaged.
        """
        files, root = self._opened
        with store_faults(self.place(version)):
            content = files.cat_file(f"{root}/{version}/{MANIFEST}")
        return parse_manifest(content, place=self.place(version))

    def _moved(self, version: str) -> RunError:
        return RunError(
            f"another run published {version} meanwhile; latest.json was left as it is",
            code="CS-U006",
            place=self.place(LATEST),
            hint="let one run at a time write to a URI; run the same command again to make a "
            "version that follows the newest",
        )


def _condition(uri: str, found: Pointer | None) -> Mapping[str, str]:
    """Return what makes S3 refuse a put if the object has changed since it was read."""
    if protocol_of(uri) not in _CONDITIONAL:
        return {}
    if found is None:
        return {"IfNoneMatch": "*"}
    return {} if found.etag is None else {"IfMatch": found.etag}
