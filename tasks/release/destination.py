"""Where a release can be sent: a dataset repository of the Hugging Face hub, or any store."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import InputError

_REPOSITORY = re.compile(r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>\S+))?")
_HUB = "hf://"
_HUB_DATASETS = "hf://datasets/"
_LOCAL = ("/", "./", "../", "~")


@dataclass(frozen=True, slots=True)
class Repository:
    """A dataset repository of the hub.

    Args:
        id: `org/name`.
        revision: Its branch; None for the main one.
    """

    id: str
    revision: str | None = None

    def __str__(self) -> str:
        """Write it as a URI."""
        return f"{_HUB_DATASETS}{self.id}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class Store:
    """A folder that fsspec can write to.

    Args:
        uri: With its protocol: `s3://bucket/folder`, `file:///folder`.
    """

    uri: str

    @property
    def protocol(self) -> str:
        """What stands before `://`."""
        return self.uri.partition("://")[0]

    def __str__(self) -> str:
        """Write it as a URI."""
        return self.uri


Destination = Repository | Store


def parse_destination(text: str, *, revision: str | None = None) -> Destination:
    """Read a destination from the command line.

    `org/name` is a repository; a local folder is written with its protocol, or begins with `/`,
    `./`, `../` or `~`.

    Args:
        text: What the user named.
        revision: Branch of a repository.

    Raises:
        InputError: `CS-U003` if it is neither, holds a password, or its protocol is not known or
            not installed.
    """
    if text.startswith(_LOCAL):
        text = f"file://{Path(text).expanduser().absolute()}"
    if "://" not in text or text.startswith(_HUB):
        return _repository(text, revision)
    if revision is not None:
        raise _refused(text, "only a repository of the hub has a revision", "leave --revision out")
    return _store(text)


def _repository(text: str, revision: str | None) -> Repository:
    found = _REPOSITORY.fullmatch(text.removeprefix(_HUB_DATASETS))
    if found is None:
        hint = "write ORG/NAME or hf://datasets/ORG/NAME; a local folder begins with ./ or /"
        raise _refused(text, "this names no dataset repository", hint)
    if found["revision"] and revision not in (None, found["revision"]):
        raise _refused(text, "two revisions are named", "leave --revision out")
    return Repository(found["id"], found["revision"] or revision)


def _store(uri: str) -> Store:
    import fsspec

    try:
        parts = urlsplit(uri)
    except ValueError:
        raise _refused(uri, "this is no URI", "write PROTOCOL://PLACE/FOLDER") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        hint = "give the store's credentials by its environment variables"
        # The URI is not repeated: it may hold a secret.
        shown = f"{parts.scheme}://..."
        raise _refused(shown, "a destination holds no user, password, query or fragment", hint)
    store = Store(uri.rstrip("/"))
    try:
        fsspec.get_filesystem_class(store.protocol)
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error).split())
        hint = "install the package of this protocol, such as s3fs or gcsfs"
        raise _refused(uri, f"this protocol cannot be written: {reason}", hint) from None
    return store


def _refused(place: str, message: str, hint: str) -> InputError:
    return InputError(message, code="CS-U003", place=place, hint=hint)
