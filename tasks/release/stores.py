"""Folders of any store that fsspec knows: how they are opened, filled, and explained."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import CorpusmithError, InputError, RunError
from schemas.manifest import FileEntry
from schemas.uri import protocol_of
from tasks.release.publish import CHECKSUMS, MANIFEST
from tasks.release.shipment import Shipment

Say = Callable[[str], None]
Listing = Mapping[str, Mapping[str, Any]]
"""What a store says of each file, by its path below a folder."""
_ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "hf": {"token": False},
}
_PACKAGES = {
    "s3": "pip install 'corpusmith[s3]'",
    "s3a": "pip install 'corpusmith[s3]'",
    "gs": "pip install gcsfs",
    "gcs": "pip install gcsfs",
    "az": "pip install adlfs",
    "abfs": "pip install adlfs",
}
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')
_MOST_CHARS = 300
CREDENTIALS = (
    "check the address, and the credentials in the environment (HF_TOKEN, AWS_ACCESS_KEY_ID, ...)"
)


def package_hint(uri: str) -> str:
    """Say how the package of a protocol is installed."""
    return _PACKAGES.get(
        protocol_of(uri), "install the package of this protocol, such as s3fs or gcsfs"
    )


def open_files(uri: str, *, anonymous: bool = False) -> tuple[Any, str]:
    """Open a place of a store; what it lists is asked anew each time.

    Args:
        uri: A file or folder, free of secrets.
        anonymous: Whether to leave the credentials of the environment alone.

    Returns:
        The file system of fsspec, and the place as it names it.

    Raises:
        ImportError: If the protocol's package is not installed.
        ValueError: If nobody knows the protocol.
    """
    from fsspec.core import url_to_fs

    options: dict[str, Any] = {"use_listings_cache": False}
    match protocol_of(uri):
        case "file" | "local":
            options["auto_mkdir"] = True
        case "https":
            options["client_kwargs"] = {"trace_configs": [_https_only()]}
        case protocol if anonymous:
            options |= _ANONYMOUS.get(protocol, {})
    files, root = url_to_fs(uri, **options)
    files.invalidate_cache()
    return files, str(root).rstrip("/")


@cache
def _https_only() -> Any:
    import aiohttp

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse_plain_redirect)
    return config


async def refuse_plain_redirect(session: Any, context: Any, params: Any) -> None:
    """Stop a redirect that leaves https: it may lead to a service of the local network.

    Raises:
        PermissionError: If the next address does not begin with `https://`, or is no address.
    """
    target = params.url.join(type(params.url)(params.response.headers.get("Location", "")))
    if target.scheme != "https":
        raise PermissionError(f"the address leads on to {target.scheme}://")


def reason(error: BaseException) -> str:
    """Put what a store's library raised into one line: its own words, and those of its cause."""
    words = f"{type(error).__name__}: {error}"
    if (cause := error.__cause__) is not None and str(cause) not in words:
        words += f" ({cause})"
    return " ".join(words.split())[:_MOST_CHARS]


def lacks_access(error: BaseException) -> bool:
    """Tell an error that credentials would mend."""
    return isinstance(error, PermissionError) or type(error).__name__ == "NoCredentialsError"


@contextmanager
def store_faults(place: str) -> Iterator[None]:
    """Turn whatever a library of a store raises into an error with a code.

    Args:
        place: What is read or written, for the message.

    Raises:
        InputError: `CS-O001` if it is not there, or the credentials do not open it.
        RunError: `CS-U004`, retryable, for all else.
    """
    try:
        yield
    except CorpusmithError:
        raise
    except Exception as error:
        # Each store has exceptions of its own, which share no ancestor.
        if isinstance(error, FileNotFoundError) or lacks_access(error):
            raise InputError(
                f"the store refuses: {reason(error)}", code="CS-O001", place=place, hint=CREDENTIALS
            ) from error
        raise RunError(
            f"the store does not answer: {reason(error)}",
            code="CS-U004",
            place=place,
            hint="check the network; the same command goes on where this one stopped, and nothing "
            "is generated again",
            retryable=True,
        ) from error


def error_code(error: BaseException) -> str:
    """Return the code of S3's answer, which s3fs keeps in the cause; empty for other errors."""
    cause = error.__cause__ or error
    answer = getattr(cause, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def listing(files: Any, root: str) -> dict[str, Mapping[str, Any]]:
    """List the files below a folder, at any depth; none if it is not there."""
    try:
        found = files.find(root, detail=True)
    except FileNotFoundError:
        return {}
    return {path.removeprefix(f"{root}/"): facts for path, facts in found.items()}


def put_release(
    files: Any, root: str, shipment: Shipment, *, own_folder: bool, say: Say = lambda _: None
) -> None:
    """Write a release into a folder of a store, its manifest last.

    What a try that broke off has sent already is not sent again.

    Args:
        files: The store.
        root: The folder.
        shipment: What to send.
        own_folder: Whether nothing but this very release was ever sent there; then a file of the
            same size is the same file where the store tells no hash.
        say: Told the file that begins.

    Raises:
        OSError: If a file did not arrive whole; stores raise errors of their own besides.
    """
    *before, manifest = shipment.files
    there = listing(files, root)
    for entry in before:
        path = shipment.folder / entry.path
        if not _arrived(there.get(entry.path), path, entry, trust_size=own_folder):
            say(entry.path)
            files.put_file(str(path), f"{root}/{entry.path}")
    files.pipe_file(f"{root}/{CHECKSUMS}", shipment.checksums.encode())
    files.invalidate_cache()
    there = listing(files, root)
    for entry in before:
        if (size := there.get(entry.path, {}).get("size")) != entry.bytes:
            raise OSError(f"{entry.path} arrived with {size or 0} of {entry.bytes} bytes")
    # A reader that waits for the manifest never meets half a release.
    files.put_file(str(shipment.folder / manifest.path), f"{root}/{MANIFEST}")


def remove_release(files: Any, root: str) -> None:
    """Delete a release of a store, its manifest first: nobody meets it whole but for its rows."""
    if files.exists(f"{root}/{MANIFEST}"):
        files.rm_file(f"{root}/{MANIFEST}")
        files.invalidate_cache()
    if files.exists(root):
        files.rm(root, recursive=True)


def _arrived(
    facts: Mapping[str, Any] | None, path: Path, entry: FileEntry, *, trust_size: bool
) -> bool:
    if facts is None or facts.get("size") != entry.bytes:
        return False
    md5 = _md5_told(facts)
    return trust_size if md5 is None else md5 == _md5_of(path)


def _md5_told(facts: Mapping[str, Any]) -> str | None:
    """Return the MD5 that a store tells: S3 as ETag of an upload in one part, GCS as base64."""
    if found := _MD5.fullmatch(str(facts.get("ETag", ""))):
        return found[1]
    told = facts.get("md5Hash")
    return base64.b64decode(told).hex() if isinstance(told, str) else None


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def cache_folder() -> Path:
    """Return the folder of this user's copies and staged runs: `CORPUSMITH_CACHE`, or the XDG's."""
    if own := os.environ.get("CORPUSMITH_CACHE"):
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "corpusmith"


def key_of(uri: str) -> str:
    """Name a folder for a URI: readable, and its own."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", uri).strip("-.")[:60]
    return f"{words}-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"
