"""Packages and tokens as `doctor` sees them, without importing anything heavy."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from accsearch.doctor.finding import Severity
from accsearch.doctor.packages import check_packages, torch_cuda, version_of


def test_an_absent_package_is_a_warning_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def without_diffusers(name: str) -> str:
        if name == "diffusers":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", without_diffusers)

    warnings = [finding for finding in check_packages({}) if finding.level is Severity.WARNING]

    assert version_of("diffusers") is None
    assert [warning.text.split(":")[0] for warning in warnings] == ["no diffusers"]
    assert "in a checkout of accsearch: pip install '.[worker]'" in warnings[0].text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cuda: Optional[str] = '12.8'", "12.8"),
        ('cuda = "13.0"', "13.0"),
        ("cuda: Optional[str] = None", None),
        ("__version__ = '2.13.0'", None),
    ],
)
def test_the_cuda_of_torch_is_read_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: str | None
) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "version.py").write_text(f"__all__ = ['cuda']\n{line}\nhip: Optional[str] = None\n")
    # A loaded torch would be found without a search.
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))

    assert torch_cuda() == expected


@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_token_is_seen_and_never_shown(tmp_path: Path, place: str) -> None:
    secret = "hf_abcdefghijklmnopqrstuvwxyz"
    environment = {"HF_HOME": str(tmp_path)}
    if place == "environment":
        environment["HF_TOKEN"] = secret
    else:
        (tmp_path / "token").write_text(secret)

    findings = list(check_packages(environment))

    hub = findings[-1]
    assert (hub.subject, hub.level) == ("hub", Severity.OK)
    assert not any(secret in finding.text for finding in findings)


def test_no_token_and_offline_are_distinguished(tmp_path: Path) -> None:
    absent = list(check_packages({"HF_HOME": str(tmp_path)}))[-1]
    offline = list(check_packages({"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}))[-1]

    assert "no token" in absent.text
    assert "HF_HUB_OFFLINE" in offline.text


def test_doctor_does_not_import_torch() -> None:
    program = """
import sys
from pathlib import Path
from accsearch.doctor.examine import examine
from accsearch.workdir import WorkDir
list(examine(WorkDir(Path("/tmp"))))
print("torch" in sys.modules, "numpy" in sys.modules)
"""
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout == "False False\n"


def test_a_missing_compiler_is_noted(tmp_path: Path) -> None:
    for name in ("gcc", "g++"):
        (tmp_path / name).touch(mode=0o755)

    with_it = {each.subject for each in check_packages({"PATH": str(tmp_path)})}
    without = [
        each for each in check_packages({"PATH": str(tmp_path / "empty")}) if each.subject == "compiler"
    ]

    assert "compiler" not in with_it
    assert [each.level for each in without] == [Severity.NOTE]
    assert "compiler" in without[0].text and "in PATH" in without[0].text
