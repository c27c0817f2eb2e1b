"""The log as a column, and what cannot be undone."""

import pytest

from schemas.noise import Edit
from tasks.noise.edit_log import undo_edits


def test_a_log_of_another_text_is_refused():
    edit = Edit(kind="keyboard", start=0, end=1, before="a", after="s")
    assert undo_edits("scorn", [edit]) == "acorn"
    with pytest.raises(ValueError, match="does not stand"):
        undo_edits("corn", [edit])
