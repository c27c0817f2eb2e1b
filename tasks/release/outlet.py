"""Where the releases of runs go: into a folder of this machine, or by way of one into a store."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest
from schemas.uri import local_path
from tasks.planning.workspace import Workspace
from tasks.release.corpus_store import CorpusStore
from tasks.release.destination import Store, parse_store
from tasks.release.publish import FAILED, LATEST, MANIFEST, latest_of, standing
from tasks.release.retention import retire_failures, retire_releases
from tasks.release.shipment import pack
from tasks.release.staging import drop, forget, note_seen, read_seen, unsent
from tasks.release.stores import cache_folder, key_of

Place = Path | str
"""A folder, or a URI."""
WORK = "CORPUSMITH_WORK"
"""Environment variable: the folder in which runs work whose releases go to a store."""
_MANGLED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A version that stands where releases stand.

    Args:
        place: Its folder, or its URI.
        manifest: Its manifest.
    """

    place: Place
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, where a release is published by the rename that ends it.

    Args:
        folder: It holds the corpora.
    """

    folder: Path

    def home(self, name: str) -> Path:
        """Return the folder of a corpus: its releases, and its runs at work."""
        return self.folder / name

    def catch_up(self, home: Path) -> None:
        """Do nothing: what lies here is published."""

    def standing(self, home: Path, *, recipe_sha256: str) -> Place | None:
        """Find the release that a run of this recipe would only make again."""
        return standing(home, recipe_sha256=recipe_sha256)

    def prepare(self, workspace: Workspace) -> None:
        """Do nothing: the version before lies here."""

    def deliver(self, release: Path) -> Place:
        """Return the release: it is where it belongs."""
        return release

    def retire(self, home: Path, *, keep: int, failed: bool) -> None:
        """Delete all but the newest versions of one kind."""
        (retire_failures if failed else retire_releases)(home, keep=keep)


@dataclass(frozen=True, slots=True)
class StagedStore:
    """A store, with a folder of this machine in which runs work and releases are made.

    Call the methods that write, all but `standing`, only with the lock of `home` held.

    Args:
        store: It holds the corpora.
        folder: The staging folder.
    """

    store: Store
    folder: Path

    def home(self, name: str) -> Path:
        """Return the staging folder of a corpus."""
        return self.folder / name

    def catch_up(self, home: Path) -> Sent | None:
        """Send what an earlier run has made and could not send, and look what the store holds.

        Returns:
            The version that was sent, if there was one.

        Raises:
            InputError: `CS-O001` if the store's place is not there or refuses.
            RunError: `CS-U004` if it does not answer; `CS-U006` if another run published in
                between.
        """
        corpus, finished = self._corpus(home), None
        for version in unsent(home):
            finished = self._deliver(version)
        found = corpus.pointer()
        if found is not None:
            found.read(corpus.place(LATEST))
        latest = None if found is None else found.content
        note_seen(home, latest, sent=read_seen(home).sent)
        return finished

    def standing(self, home: Path, *, recipe_sha256: str) -> Place | None:
        """Find the release in the store that a run of this recipe would only make again."""
        if unsent(home):
            return None
        return self._corpus(home).standing(recipe_sha256=recipe_sha256)

    def prepare(self, workspace: Workspace) -> None:
        """See that the store can be written, and fetch the rows that the audit compares with."""
        facts, home = workspace.facts, workspace.folder.parent
        corpus = self._corpus(home)
        corpus.probe()
        parent = facts.parent
        if parent is None or facts.recipe.audit is None or (home / parent).is_dir():
            return
        seen = read_seen(home)
        forget(home)
        # Noted first: a copy is never taken for a version that was made here.
        note_seen(home, seen.content, sent=(parent,))
        corpus.fetch_rows(parent, home)

    def deliver(self, release: Path) -> Place:
        """Send a version, and make `latest.json` of the store name it if it passed.

        Of the versions in the staging folder, the newest good one stays as a copy.

        Raises:
            InputError: `CS-O001` if the store's place is not there or refuses.
            RunError: `CS-U004` if it does not answer: the version stays here, to be sent by the
                next run; `CS-U006` if another run published in between: the version is in the store
                and not named.
        """
        return self._deliver(release).place

    def _deliver(self, release: Path) -> Sent:
        home, corpus = release.parent, self._corpus(release.parent)
        shipment = pack(release, with_rejected=True, allow_failed=True)
        try:
            sent = Sent(corpus.send(shipment), shipment.manifest)
            if release.name.endswith(FAILED):
                drop(release)
                return sent
            content = latest_of(release)
            corpus.point(content, seen=read_seen(home).content)
        except RunError as error:
            if error.code == "CS-U006":
                # What another run has overtaken would be refused for ever.
                drop(release)
            raise
        forget(home, but=release.name)
        note_seen(home, content, sent=(release.name,))
        return sent

    def retire(self, home: Path, *, keep: int, failed: bool) -> None:
        """Delete all but the newest versions of one kind from the store."""
        self._corpus(home).retire(keep=keep, failed=failed)

    def _corpus(self, home: Path) -> CorpusStore:
        return CorpusStore(f"{self.store.uri}/{home.name}")


Outlet = Folder | StagedStore


def open_outlet(out: Place) -> Outlet:
    """Read what `--out` names.

    Args:
        out: A folder; or a URI, `s3://bucket/folder`. `file://` is a folder.

    Raises:
        InputError: `CS-U003` if a URI cannot be understood, holds a secret, or its protocol is not
            known or not installed; `CS-I001` if no folder can have the name.
    """
    path = local_path(out)
    if path is None:
        store = parse_store(str(out))
        work = os.environ.get(WORK)
        staging = Path(work).expanduser().absolute() if work else cache_folder() / "staging"
        return StagedStore(store, staging / key_of(store.uri))
    if "\0" in str(path):
        raise InputError(
            "no folder can have this name",
            code="CS-I001",
            place=f"--out {path}",
            hint="choose another folder",
        )
    if _MANGLED.match(str(path)):
        raise InputError(
            "a URI was read as a path",
            code="CS-U003",
            place=str(path),
            hint="write PROTOCOL://PLACE/FOLDER, and in Python as a string",
        )
    return Folder(path)


def read_manifest(place: Place) -> Manifest:
    """Read the manifest of a version wherever it stands.

    Raises:
        RunError: `CS-U004` if a store does not answer, `CS-W001` if the manifest is damaged.
    """
    if isinstance(place, Path):
        return Manifest.model_validate_json((place / MANIFEST).read_bytes())
    uri, _, version = place.rpartition("/")
    return CorpusStore(uri).manifest(version)
