"""constraints.txt is what is installed: the figures were measured with these versions."""

from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = {
    requirement.name: next(iter(requirement.specifier)).version
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
    for requirement in [Requirement(line)]
}


def test_installed_versions_equal_the_lock() -> None:
    wrong = {}
    for name, locked in LOCK.items():
        try:
            installed = Version(version(name)).public
        except PackageNotFoundError:
            wrong[name] = ("not installed", locked)
            continue
        if Version(installed) != Version(locked):
            wrong[name] = (installed, locked)
    assert not wrong


def test_every_declared_dependency_is_locked() -> None:
    names = {name.lower().replace("_", "-") for name in LOCK}
    for line in requires("corpusmith") or []:
        requirement = Requirement(line)
        # The extra `vllm` brings a torch of its own, and lives in an environment of its own.
        if requirement.marker and not requirement.marker.evaluate({"extra": "dev"}):
            continue
        assert requirement.name.lower().replace("_", "-") in names, line
