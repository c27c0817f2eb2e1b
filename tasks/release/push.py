"""Sends a release: to the hub in commits that end in a tag, elsewhere with the manifest last."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, assert_never

from schemas.errors import CorpusmithError, InputError, RunError
from tasks.release.destination import Destination, Repository, Store
from tasks.release.publish import CHECKSUMS, MANIFEST
from tasks.release.shipment import Shipment

Say = Callable[[str], None]
_REPLACED = ["data/*", "rejected/*", "expectations/*"]
"""What an older version in the same repository may have more of; all else there is left alone."""
_MOST_CHARS = 300


def send(
    shipment: Shipment, destination: Destination, *, public: bool = False, say: Say = lambda _: None
) -> bool:
    """Send a release.

    Secrets are what the libraries find in the environment: `HF_TOKEN`, `AWS_...` and the like.

    Args:
        shipment: What to send.
        destination: Where.
        public: Whether a repository that has to be made is open to all; one that is there stays as
            it is.
        say: Told the file that begins.

    Returns:
        Whether anything was sent: False where this very release was already.

    Raises:
        InputError: `CS-U005` if another release lies in the store's folder.
        RunError: `CS-U004` if the destination refuses or cannot be reached.
    """
    with _faults(destination):
        match destination:
            case Repository():
                return _send_to_hub(shipment, destination, public=public, say=say)
            case Store():
                return _send_to_store(shipment, destination, say=say)
            case _:
                assert_never(destination)


def _send_to_hub(shipment: Shipment, repository: Repository, *, public: bool, say: Say) -> bool:
    from huggingface_hub import HfApi

    api, version = HfApi(), shipment.manifest.version
    target: dict[str, Any] = {"repo_id": repository.id, "repo_type": "dataset"}
    say(str(repository))
    api.create_repo(**target, private=not public, exist_ok=True)
    if repository.revision is not None:
        api.create_branch(**target, branch=repository.revision, exist_ok=True)
    with _staged(shipment) as folder:
        commit = api.upload_folder(
            **target,
            folder_path=folder,
            revision=repository.revision,
            commit_message=f"Release {version} of {shipment.manifest.name}",
            delete_patterns=_REPLACED,
        )
    # Large folders take several commits: only the tag names a state that is whole.
    api.create_tag(**target, tag=version, revision=commit.oid, exist_ok=True)
    return True


@contextmanager
def _staged(shipment: Shipment) -> Iterator[Path]:
    """Lay out what is sent, and nothing else, in a folder of links."""
    with tempfile.TemporaryDirectory(prefix="corpusmith-push-") as name:
        folder = Path(name)
        for entry in shipment.files:
            link = folder / entry.path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((shipment.folder / entry.path).resolve())
        (folder / CHECKSUMS).write_text(shipment.checksums, encoding="utf-8")
        yield folder


def _send_to_store(shipment: Shipment, store: Store, *, say: Say) -> bool:
    from fsspec.core import url_to_fs

    options = {"auto_mkdir": True} if store.protocol in ("file", "local") else {}
    files, root = url_to_fs(store.uri, **options)
    files.invalidate_cache()
    if _lies_there(files, root, shipment):
        return False
    *before, manifest = shipment.files
    for entry in before:
        say(entry.path)
        files.put_file(str(shipment.folder / entry.path), f"{root}/{entry.path}")
    files.pipe_file(f"{root}/{CHECKSUMS}", shipment.checksums.encode())
    for entry in before:
        if (size := files.info(f"{root}/{entry.path}")["size"]) != entry.bytes:
            raise OSError(f"{entry.path} arrived with {size} of {entry.bytes} bytes")
    # A reader that waits for the manifest never meets half a release.
    files.put_file(str(shipment.folder / manifest.path), f"{root}/{MANIFEST}")
    return True


def _lies_there(files: Any, root: str, shipment: Shipment) -> bool:
    """Tell whether this very release lies there; what an interrupted try left is no obstacle."""
    own = {f"{root}/{entry.path}" for entry in shipment.files}
    if files.exists(f"{root}/{MANIFEST}"):
        there = files.cat_file(f"{root}/{MANIFEST}")
        if there == (shipment.folder / MANIFEST).read_bytes():
            return True
        raise _occupied(root, shipment)
    if files.exists(f"{root}/data") and not own.issuperset(files.find(f"{root}/data")):
        raise _occupied(root, shipment)
    return False


def _occupied(root: str, shipment: Shipment) -> InputError:
    return InputError(
        "another dataset lies there; nothing is ever overwritten",
        code="CS-U005",
        place=root,
        hint=f"name a folder of its own, such as {root}/{shipment.manifest.version}",
    )


@contextmanager
def _faults(destination: Destination) -> Iterator[None]:
    """Turn whatever a library of a store raises into an error with a code."""
    try:
        yield
    except CorpusmithError:
        raise
    except Exception as error:
        # Each store has exceptions of its own, which share no ancestor.
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_CHARS]
        raise RunError(
            f"the release was not sent: {reason}",
            code="CS-U004",
            place=str(destination),
            hint="check the address, the network, and the credentials in the environment "
            "(HF_TOKEN, AWS_ACCESS_KEY_ID, ...); the same command sends it again",
            retryable=True,
        ) from error
