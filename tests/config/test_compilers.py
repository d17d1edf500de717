"""The compilers of torch.compile: which are wanted, and where they are looked for."""

from pathlib import Path

import pytest

from accsearch.config.compilers import missing_compiler


@pytest.mark.parametrize(
    ("device", "given", "lacks"),
    [
        ("cpu", {}, "a C++ compiler, and there is no g++ in PATH"),
        ("auto", {"CXX": "icpx"}, "a C++ compiler, and there is no icpx in PATH"),
        ("cpu", {"CXX": "./mine"}, None),
        ("cpu", {"PATH": "tools"}, None),
    ],
)
def test_a_compiler_is_looked_for_where_the_worker_will(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, given: dict[str, str], lacks: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    for program in (tmp_path / "mine", tmp_path / "tools" / "g++"):
        program.parent.mkdir(exist_ok=True)
        program.touch(0o700)

    found = missing_compiler(device, given, {"PATH": str(tmp_path / "empty")})

    assert found is None if lacks is None else lacks in (found or "")
