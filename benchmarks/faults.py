"""Is anything lost or doubled when a run is killed, starved or lied to at many moments?

    python benchmarks/faults.py --moments 50

Runs the fault suite (`tests/faults`) with as many random moments as asked for; the suite of every
commit tries 4. After each fault the test compares the rows with those of a run that nothing
disturbed, adds up the books and looks for orphans. The result stands in
`benchmarks/results/faults.json` and `.md`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
OUTCOMES = ("failure", "error", "skipped")
PACKAGES = ("prefect", "pyarrow", "great-expectations")


def run_suite(moments: int) -> tuple[int, list[dict[str, Any]]]:
    """Run the suite; return pytest's exit code and what became of every test."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        process = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/faults", "-q", f"--junitxml={report}"],
            cwd=ROOT,
            env={**os.environ, "CORPUSMITH_KILLS": str(moments)},
            check=False,
        )
        return process.returncode, read_report(report)


def read_report(report: Path) -> list[dict[str, Any]]:
    """Read pytest's report, which this process has just had written."""
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return [
        {
            "file": f"{case.get('classname', '').rpartition('.')[2]}.py",
            "test": case.get("name"),
            "outcome": next((part.tag for part in case if part.tag in OUTCOMES), "passed"),
            "seconds": round(float(case.get("time", 0)), 1),
        }
        for case in cases
    ]


def table(result: dict[str, Any]) -> str:
    """Write the result as Markdown."""
    tests = result["tests"]
    passed = sum(test["outcome"] == "passed" for test in tests)
    lines = [
        f"# Faults: {passed} of {len(tests)} passed",
        "",
        f"`python benchmarks/faults.py --moments {result['moments']}`, {result['date']}, "
        f"{result['cores']} cores, {result['seconds']:,.0f} s in all.",
        "",
        "| file | test | outcome | s |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {test['file']} | {test['test'].replace('_', ' ')} | {test['outcome']} "
        f"| {test['seconds']:,.1f} |"
        for test in tests
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--moments", type=int, default=50, help="random moments a test tries")
    moments = parser.parse_args(arguments).moments
    code, tests = run_suite(moments)
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "moments": moments,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "seconds": round(sum(test["seconds"] for test in tests), 1),
        "tests": tests,
    }
    RESULTS.joinpath("faults.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    RESULTS.joinpath("faults.md").write_text(table(result), "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
