import json
import re

import pytest

from flows.cli import run
from schemas.strategies import STRATEGY_CLASSES


def test_json_tells_every_strategy_and_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["strategies", "--json"]) == 0
    found = {entry["kind"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert len(found) == len(STRATEGY_CLASSES)
    for strategy in STRATEGY_CLASSES:
        fields = dict(strategy.model_fields)
        entry = found[fields.pop("kind").default]
        for shared in ("share", "length", "stop"):
            del fields[shared]
        assert {name: told["default"] for name, told in entry["parameters"].items()} == {
            name: field.default for name, field in fields.items()
        }
        assert all(told["meaning"] for told in entry["parameters"].values())
        # A method from a paper links to it.
        assert entry["source"].startswith("https://") == bool(
            re.search(r"\d{4}\)", entry["meaning"])
        )


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_every_line_fits_and_no_link_is_broken(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["strategies"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines() if "https" not in line) <= columns
    for strategy in STRATEGY_CLASSES:
        assert f"{strategy.model_fields['kind'].default}\n" in out
        assert getattr(strategy, "source", "") in out
