"""Versions of one corpus: made when there is something new, linked, compared and retired."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from schemas.audit import Audit, Group, Section
from schemas.errors import GateError
from schemas.manifest import Manifest
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import nothing_new, run_facts
from tasks.release import publish

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]
PLAIN: dict[str, Any] = {"rows": 6, "bad": 0, "gates": "off"}


def manifest_of(release: Path) -> Manifest:
    return Manifest.model_validate_json((release / "manifest.json").read_bytes())


def drift_of(release: Path) -> Section:
    audit = Audit.model_validate(json.loads((release / "report.json").read_text())["audit"])
    (found,) = (section for section in audit.sections if section.group is Group.DRIFT)
    return found


def versions(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "scripted").iterdir() if path.is_dir())


def test_what_has_not_changed_is_not_made_again(scripted: Any, tmp_path: Path) -> None:
    first = generate(scripted(**PLAIN), tmp_path)
    assert generate(scripted(**PLAIN), tmp_path) == first
    # How fast it is asked for decides no row.
    assert generate(scripted(**PLAIN, shard_size=5), tmp_path) == first
    assert versions(tmp_path) == [first.name]
    other = generate(scripted(**PLAIN, seed=4), tmp_path)
    assert manifest_of(other).parent == first.name
    forced = generate(scripted(**PLAIN, seed=4), tmp_path, force=True)
    assert manifest_of(forced).parent == other.name
    anew = generate(scripted(**PLAIN, seed=4), tmp_path, resume="never")
    assert manifest_of(anew).parent == forced.name
    assert versions(tmp_path) == sorted({first.name, other.name, forced.name, anew.name})
    # The newest release counts: what an earlier one held is made again.
    again = generate(scripted(**PLAIN), tmp_path)
    assert manifest_of(again).parent == anew.name


def test_what_a_dead_run_left_is_deleted_though_nothing_is_new(
    scripted: Any, tmp_path: Path
) -> None:
    path, home = scripted(**PLAIN), tmp_path / "scripted"
    release = generate(path, tmp_path)
    (home / ".tmp-.work-1-2").mkdir()
    assert nothing_new(home, run_facts(check_recipe(path))) is None
    assert generate(path, tmp_path) == release
    assert {entry.name for entry in home.iterdir()} == {".lock", "latest.json", release.name}


def test_only_what_stands_whole_counts(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, home = scripted(**PLAIN), tmp_path / "scripted"
    facts = run_facts(check_recipe(path))
    assert nothing_new(home, facts) is None
    release = generate(path, tmp_path)
    assert nothing_new(home, facts) == release
    packages = manifest_of(release).packages
    monkeypatch.setattr(publish, "package_versions", lambda: {**packages, "torch": "0"})
    assert nothing_new(home, facts) is None
    monkeypatch.undo()
    work = home / f".work-{facts.work_key[:16]}"
    work.mkdir()
    assert nothing_new(home, facts) is None, "an unfinished run is to be finished"
    work.rmdir()
    manifest = (release / "manifest.json").read_text()
    (release / "manifest.json").write_text(manifest.replace('"fail"', '"pass"') + " ")
    assert nothing_new(home, facts) is None
    (release / "manifest.json").write_text(manifest)
    assert nothing_new(home, facts) == release
    (release / "data" / "train-00000-of-00001.parquet").unlink()
    assert nothing_new(home, facts) is None


def test_a_failed_version_is_no_parent_and_no_reason_to_stop(scripted: Any, tmp_path: Path) -> None:
    first = generate(scripted(**PLAIN), tmp_path)
    failing = {**PLAIN, "gates": {"row": {"chars": [900, 999]}}, "budget": {"attempts_per_row": 1}}
    names = set()
    for _ in range(2):
        with pytest.raises(GateError) as caught:
            generate(scripted(**failing), tmp_path)
        failed = Path(caught.value.place).parent
        assert manifest_of(failed).parent == first.name
        names.add(failed.name)
    assert generate(scripted(**PLAIN), tmp_path) == first


def test_old_versions_go_and_the_good_one_stays(scripted: Any, tmp_path: Path) -> None:
    made = [generate(scripted(**PLAIN, seed=seed), tmp_path).name for seed in (1, 2)]
    failing = {**PLAIN, "gates": {"row": {"chars": [900, 999]}}, "budget": {"attempts_per_row": 1}}
    for seed in (3, 4):
        with pytest.raises(GateError):
            generate(scripted(**failing, seed=seed), tmp_path, keep=1)
    failures = [name for name in versions(tmp_path) if name.endswith("-failed")]
    assert len(failures) == 1, "a failed run deletes older failures"
    assert set(made) < set(versions(tmp_path)), "and no release"
    last = generate(scripted(**PLAIN, seed=5), tmp_path, keep=1)
    assert manifest_of(last).parent == made[-1]
    assert versions(tmp_path) == sorted([last.name, *failures])


def test_drift_is_measured_and_can_refuse_a_version(scripted: Any, tmp_path: Path) -> None:
    gate: dict[str, Any] = {"drift_word_divergence": {"fail_above": 0.9}}
    config: dict[str, Any] = {"rows": 30, "audit": {}, "gates": {"row": {}, "audit": gate}}
    first = generate(scripted(**config), tmp_path)
    assert all(metric.estimate is None for metric in drift_of(first).metrics)
    same = generate(scripted(**config), tmp_path, force=True)
    by_name = {metric.name: metric for metric in drift_of(same).metrics}
    assert by_name["drift_label_share_distance"].estimate is not None
    assert by_name["drift_word_divergence"].estimate is not None
    page = (same / "report.html").read_text("utf-8")
    assert "room-drift" in page
    assert first.name in page
    lines = [
        {"label": label, "text": " ".join(f"{label[0]}new{n}x{place}" for place in range(6))}
        for label in ("alpha", "beta", "gamma")
        for n in range(60)
    ]
    with pytest.raises(GateError) as caught:
        generate(scripted(**config, lines=lines), tmp_path)
    assert caught.value.code == "CS-V001"
    failed = manifest_of(Path(caught.value.place).parent)
    assert failed.parent == same.name
    assert failed.audit is not None
    assert any("words" in reason for reason in failed.audit.reasons)
