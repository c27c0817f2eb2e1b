"""URIs as a user may write them: told from paths, free of secrets."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import InputError

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
RECIPE_PROTOCOLS = ("s3", "gs", "hf", "https")
"""What a recipe may read from: stores and the web, and no file of the machine it runs on."""


def is_uri(text: str) -> bool:
    """Tell a URI, `PROTOCOL://...`, from a path."""
    return _URI.match(text) is not None


def protocol_of(uri: str) -> str:
    """Return what stands before `://`, in lower case."""
    return uri.partition("://")[0].lower()


def local_path(text: str | Path) -> Path | None:
    """Return the path of a file or folder of this machine, `file://` included; None for others."""
    if isinstance(text, Path):
        return text
    if not is_uri(text):
        return Path(text)
    return Path(text.partition("://")[2]) if protocol_of(text) in ("file", "local") else None


def uri_fault(uri: str) -> str | None:
    """Say what a URI has that it must not have; None if it is fit to be shown and logged.

    A user, a password, a query or a fragment can be a secret, or stand for one.
    """
    if "::" in uri:
        # fsspec opens what stands behind it, whatever the protocol before.
        return "it chains one URI to another"
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "this is no URI"
    if not parts.netloc and protocol_of(uri) not in ("file", "local", "memory"):
        return "this URI names no place"
    if parts.query or parts.fragment or "@" in parts.netloc:
        return "it holds a user, password, query or fragment"
    return None


def without_secrets(uri: str) -> str:
    """Return a URI that may be shown: with a fault, its protocol alone."""
    return uri if uri_fault(uri) is None else f"{protocol_of(uri)}://..."


def check_recipe_uri(uri: str, *, place: str) -> None:
    """Refuse a URI that a recipe may not read: one of this machine's files, or one with a secret.

    Args:
        uri: What the recipe says.
        place: What an error names as its place.

    Raises:
        InputError: `CS-R008`; a URI that may hold a secret is not repeated.
    """
    fault = uri_fault(uri)
    if fault is None and protocol_of(uri) not in RECIPE_PROTOCOLS:
        fault = f"a recipe reads {', '.join(RECIPE_PROTOCOLS)}"
    if fault is not None:
        raise InputError(
            f"the recipe may not read {without_secrets(uri)!r}: {fault}",
            code="CS-R008",
            place=place,
            hint="keep the file beside the recipe, or give an absolute path with --set",
        )
