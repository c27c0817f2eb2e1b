import errno
from pathlib import Path

import pytest

from schemas.errors import CorpusmithError, InputError, RunError
from tasks.planning.faults import disk_faults


@pytest.mark.parametrize(
    ("number", "kind", "code", "retryable"),
    [
        (errno.ENOSPC, RunError, "CS-O004", False),
        (errno.EDQUOT, RunError, "CS-O004", False),
        (errno.EACCES, InputError, "CS-O001", False),
        (errno.EROFS, InputError, "CS-O001", False),
        (errno.ENOTDIR, InputError, "CS-O001", False),
        (errno.EIO, RunError, "CS-O001", True),
    ],
)
def test_a_fault_of_the_disk_has_a_code(
    number: int, kind: type[CorpusmithError], code: str, retryable: bool
) -> None:
    with pytest.raises(kind) as caught, disk_faults(Path("out")):
        raise OSError(number, "a reason")
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert caught.value.place == "out"
    assert "a reason" in caught.value.message
    assert caught.value.hint


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), disk_faults(Path("out")):
        raise KeyError("x")
