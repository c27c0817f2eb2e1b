"""Faults of the disk as errors that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import InputError, RunError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ELOOP,
}


@contextmanager
def disk_faults(place: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into an error with a code.

    Args:
        place: What is being written, for the message.

    Raises:
        RunError: `CS-O004` when the disk or the quota is full; `CS-O001`, retryable, for faults
            that may pass.
        InputError: `CS-O001` when the place can never be written as things stand.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise RunError(
                f"no space left while writing: {reason}",
                code="CS-O004",
                place=str(place),
                hint="free some space and run the same command again; finished work is kept",
            ) from error
        if error.errno in _REFUSED:
            raise InputError(
                f"cannot write: {reason}",
                code="CS-O001",
                place=str(place),
                hint="choose another folder with --out, or change the permissions",
            ) from error
        raise RunError(
            f"cannot write: {reason}",
            code="CS-O001",
            place=str(place),
            hint="run the same command again; finished work is kept",
            retryable=True,
        ) from error
