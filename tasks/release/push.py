"""Sends a release: to the hub in commits that end in a tag, elsewhere with the manifest last."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, assert_never

from schemas.errors import CorpusmithError, InputError, RunError
from tasks.release.destination import Destination, Repository, Store
from tasks.release.publish import CHECKSUMS, MANIFEST
from tasks.release.shipment import Shipment
from tasks.release.stores import Say, open_files, put_release, reason

_REPLACED = ["data/*", "rejected/*", "expectations/*"]
"""What an older version in the same repository may have more of; all else there is left alone."""


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
    files, root = open_files(store.uri)
    if _lies_there(files, root, shipment):
        return False
    put_release(files, root, shipment, own_folder=False, say=say)
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
        raise RunError(
            f"the release was not sent: {reason(error)}",
            code="CS-U004",
            place=str(destination),
            hint="check the address, the network, and the credentials in the environment "
            "(HF_TOKEN, AWS_ACCESS_KEY_ID, ...); the same command sends it again",
            retryable=True,
        ) from error
