import subprocess
import sys

import pytest

from accsearch.result_lines.versions import changes, installed_versions


def test_versions_name_python_and_accsearch():
    found = installed_versions()

    assert found["python"].startswith("3.")
    assert "accsearch" in found


@pytest.mark.process
def test_nothing_is_imported_to_know_them():
    code = (
        "import sys; from accsearch.result_lines.versions import installed_versions; installed_versions()\n"
        "print('torch' in sys.modules, 'diffusers' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.split() == ["False", "False"]


def test_changes_name_what_moved():
    before = {"torch": "2.12.0", "tgate": "1.0.0", "same": "1"}

    assert (
        changes(before, {"torch": "2.13.0", "same": "1"}) == "tgate 1.0.0 -> absent, torch 2.12.0 -> 2.13.0"
    )
    assert changes(before, before) == ""
