"""Corpora in an object store: a real server of S3's protocol, read back as a user would."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pandas
import pytest
import yaml

from flows import policies
from flows.audit import audit
from flows.cli import run
from flows.generate import generate as generate_flow
from schemas.audit import Audit, Group
from schemas.errors import GateError, InputError, RunError
from schemas.manifest import Manifest
from tasks.generation.scripted import ScriptedBackend
from tasks.release.outlet import read_manifest

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]
PLAIN: dict[str, Any] = {"rows": 6, "bad": 0, "gates": "off"}
CORPUSMITH = [sys.executable, "-c", "from flows.cli import main; main()"]
FAILING = {**PLAIN, "gates": {"row": {"chars": [900, 999]}}, "budget": {"attempts_per_row": 1}}


def generate(recipe: Path, out: str, **wishes: Any) -> str:
    """Run the flow; to a store, it returns a URI."""
    release = generate_flow(recipe, out, **wishes)
    assert isinstance(release, str)
    return release


@pytest.fixture
def files(bucket: str) -> Any:
    return fsspec.filesystem("s3", use_listings_cache=False)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RETRIES", 0)


def latest_of(files: Any, out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files.cat_file(f"{out}/scripted/latest.json"))
    return found


def names_in(files: Any, out: str) -> set[str]:
    return {Path(path).name for path in files.ls(f"{out}/scripted", detail=False)}


def drift_of(files: Any, release: str) -> Any:
    audit = Audit.model_validate(json.loads(files.cat_file(f"{release}/report.json"))["audit"])
    return next(section for section in audit.sections if section.group is Group.DRIFT)


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the calls of the model."""
    calls: list[int] = []
    real = ScriptedBackend.generate

    def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return real(self, *arguments, **options)

    monkeypatch.setattr(ScriptedBackend, "generate", counting)
    return calls


def test_a_corpus_lives_in_a_bucket(
    files: Any, bucket: str, scripted: Any, tmp_path: Path, generated: list[int]
) -> None:
    """The first release, nothing new from a fresh machine, then the next version with its drift."""
    out = f"{bucket}/corpora"
    first = generate(scripted(**PLAIN), out)
    manifest = read_manifest(first)
    assert first == f"{out}/scripted/{manifest.version}"
    assert latest_of(files, out)["version"] == latest_of(files, out)["path"] == manifest.version
    assert names_in(files, out) == {"latest.json", manifest.version}
    assert len(texts_by_pandas(files, first)) == PLAIN["rows"]
    assert texts_by_datasets(files, first, tmp_path) < texts_by_pandas(files, first)

    shutil.rmtree(tmp_path / "cache")
    count = len(generated)
    assert generate(scripted(**PLAIN), out) == first
    assert len(generated) == count
    assert not list((tmp_path / "cache").rglob("*.parquet")), "nothing was fetched for nothing"

    shutil.rmtree(tmp_path / "cache")
    second = generate(scripted(**{**PLAIN, "rows": 30}, audit={}), out, keep=1)
    assert read_manifest(second).parent == manifest.version
    kept = {metric.name: metric for metric in drift_of(files, second).metrics}
    assert kept["drift_word_divergence"].estimate is not None, "it was compared with the first"
    version = read_manifest(second).version
    assert names_in(files, out) == {"latest.json", version}
    assert latest_of(files, out)["version"] == version
    staged = {path.name for path in (tmp_path / "cache").glob("staging/*/scripted/*")}
    assert staged == {".lock", ".seen.json", "latest.json", version}


def texts_by_pandas(files: Any, release: str) -> set[str]:
    paths = files.glob(f"{release}/data/*.parquet")
    return set(pandas.concat(pandas.read_parquet(f"s3://{path}") for path in paths)["text"])


def texts_by_datasets(files: Any, release: str, folder: Path) -> set[str]:
    """Stream the training split; the card says what the columns are."""
    import datasets

    card = yaml.safe_load(files.cat_file(f"{release}/README.md").decode().split("---")[1])
    rows = datasets.load_dataset(
        "parquet",
        data_files={"train": f"{release}/data/train-*.parquet"},
        features=datasets.DatasetInfo._from_yaml_dict(card["dataset_info"]).features,
        split="train",
        streaming=True,
        cache_dir=str(folder / "hf"),
    )
    return {row["text"] for row in rows}


@pytest.mark.parametrize("failing", [False, True])
def test_an_upload_that_died_is_finished_without_generating(
    failing: bool,
    files: Any,
    bucket: str,
    scripted: Any,
    monkeypatch: pytest.MonkeyPatch,
    generated: list[int],
) -> None:
    path = scripted(**(FAILING if failing else PLAIN))
    real = files.put_file
    sent: list[str] = []

    def put(source: str, target: str, **options: Any) -> None:
        if len(sent) == 4:
            raise ConnectionResetError("reset by peer")
        sent.append(target)
        real(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_file", put)
        with pytest.raises(RunError, match="reset by peer") as caught:
            generate(path, bucket)
    assert (caught.value.code, caught.value.exit_code) == ("CS-U004", 3)
    (half,) = names_in(files, bucket)
    assert files.exists(sent[0])
    assert not files.exists(f"{bucket}/scripted/{half}/manifest.json"), "no reader takes it for one"

    count = len(generated)
    again: list[str] = []

    def watch(source: str, target: str, **options: Any) -> None:
        again.append(target)
        real(source, target, **options)

    monkeypatch.setattr(files, "put_file", watch)
    if failing:
        with pytest.raises(GateError) as refused:
            generate(path, bucket)
        assert refused.value.place == f"{bucket}/scripted/{half}/report.html"
        assert half.endswith("-failed")
        assert not files.exists(f"{bucket}/scripted/latest.json")
    else:
        assert generate(path, bucket) == f"{bucket}/scripted/{half}"
        assert latest_of(files, bucket)["version"] == half
    assert len(generated) == count, "nothing was generated again"
    assert not set(sent) & set(again), "what had arrived was not sent again"
    manifest = Manifest.model_validate_json(
        files.cat_file(f"{bucket}/scripted/{half}/manifest.json")
    )
    assert {entry.path for entry in manifest.files} <= {
        path.partition(f"{half}/")[2] for path in files.find(f"{bucket}/scripted/{half}")
    }


def test_a_bucket_that_is_not_there_is_told_before_anything_is_made(
    bucket: str, scripted: Any, generated: list[int]
) -> None:
    with pytest.raises(InputError, match="bucket does not exist") as caught:
        generate(scripted(**PLAIN), "s3://no-such-bucket-here/x")
    assert (caught.value.code, caught.value.exit_code) == ("CS-O001", 2)
    assert caught.value.place == "s3://no-such-bucket-here/x/scripted"
    assert not generated


def test_the_command_line_prints_the_uri(
    files: Any,
    bucket: str,
    scripted: Any,
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    work = tmp_path / "work"
    arguments = ["generate", str(scripted(**PLAIN)), "--out", bucket, "--work", str(work)]
    done = subprocess.run(
        [*CORPUSMITH, *arguments], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    release = f"{bucket}/scripted/{latest_of(files, bucket)['version']}"
    assert done.stdout == f"{release}\n"
    assert f"{release}/report.html" in done.stderr
    assert [path.name for path in work.glob("*/scripted/2*")] == [release.rpartition("/")[2]]
    assert run(arguments[:-2]) == 0
    told = capsys.readouterr()
    assert told.out == f"{release}\n"
    assert "nothing new" in told.err


def test_what_lies_in_a_bucket_is_audited_and_noised(
    files: Any, bucket: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = [{"text": f"parcel {n} is late", "label": "late"} for n in range(12)]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    files.pipe_file(f"{bucket}/real.jsonl", content)
    version = "20261121T081500Z-abc123def456"
    pointer = {"version": version, "path": version, "manifest_sha256": "0" * 64, "created": ""}
    files.pipe_file(f"{bucket}/mails/latest.json", json.dumps(pointer).encode())
    files.pipe_file(f"{bucket}/mails/{version}/data/train.jsonl", content.replace(b"late", b"lost"))

    audit(f"{bucket}/mails", out=tmp_path / "report", reference=f"{bucket}/real.jsonl")
    found = Audit.model_validate_json((tmp_path / "report" / "report.json").read_bytes())
    read = {one.role: (one.path, one.rows) for one in found.inputs}
    assert read == {"audited": (version, 12), "reference": ("real.jsonl", 12)}

    arguments = ["noise", f"{bucket}/real.jsonl", "--step", "keyboard:0.2", "--out"]
    assert run([*arguments, str(tmp_path / "noised.jsonl"), "--quiet"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'noised.jsonl'}\n"
    assert len((tmp_path / "noised.jsonl").read_text().splitlines()) == 12
