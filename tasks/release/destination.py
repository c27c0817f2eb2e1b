"""Where a release can be sent: a dataset repository of the Hugging Face hub, or any store."""

import re
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError
from schemas.uri import protocol_of, uri_fault, without_secrets
from tasks.release.stores import package_hint

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
        return protocol_of(self.uri)

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
    return parse_store(text)


def _repository(text: str, revision: str | None) -> Repository:
    found = _REPOSITORY.fullmatch(text.removeprefix(_HUB_DATASETS))
    if found is None:
        hint = "write ORG/NAME or hf://datasets/ORG/NAME; a local folder begins with ./ or /"
        raise _refused(text, "this names no dataset repository", hint)
    if found["revision"] and revision not in (None, found["revision"]):
        raise _refused(text, "two revisions are named", "leave --revision out")
    return Repository(found["id"], found["revision"] or revision)


def parse_store(uri: str) -> Store:
    """Read the URI of a folder that is to be written.

    Raises:
        InputError: `CS-U003` if it holds a secret, or its protocol is not known or not installed.
    """
    import fsspec

    if (fault := uri_fault(uri)) is not None:
        hint = "write PROTOCOL://PLACE/FOLDER, and give credentials by the environment"
        # The URI is not repeated: it may hold a secret.
        raise _refused(without_secrets(uri), f"a destination cannot be this: {fault}", hint)
    store = Store(uri.rstrip("/"))
    try:
        fsspec.get_filesystem_class(store.protocol)
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise _refused(
            uri, f"this protocol cannot be written: {reason}", package_hint(uri)
        ) from None
    return store


def _refused(place: str, message: str, hint: str) -> InputError:
    return InputError(message, code="CS-U003", place=place, hint=hint)
