import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from accsearch.process_identity import (
    host_name,
    is_alive,
    is_this_machine,
    pid_namespace,
    process_age,
    process_create_time,
    process_identity,
)


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_create_time_is_what_psutil_says(child):
    assert process_create_time(child.pid) == pytest.approx(psutil.Process(child.pid).create_time(), abs=1.0)


def test_the_age_counts_from_the_start(child):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        younger = process_age(later.pid)
        assert process_age(child.pid) > younger > 0
        later.kill()
        later.wait()
        assert process_age(later.pid) is None


def test_a_living_process_is_distinguished_from_another_of_its_pid(child):
    created, identity = process_create_time(child.pid), process_identity(child.pid)

    assert is_alive(child.pid, created)
    assert is_alive(child.pid, created, identity)
    assert not is_alive(child.pid, created - 60)
    assert not is_alive(child.pid, created, identity + "0")


def test_an_identity_outlasts_a_stepped_clock(child):
    assert is_alive(child.pid, process_create_time(child.pid) - 3600, process_identity(child.pid))


def test_a_zombie_is_dead(child):
    created = process_create_time(child.pid)
    child.send_signal(signal.SIGKILL)
    # Waits for the end without reaping, so that the child stays a zombie.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert not is_alive(child.pid, created)
    assert process_identity(child.pid) is None


def test_a_reaped_process_is_dead(child):
    created = process_create_time(child.pid)
    child.kill()
    child.wait()

    assert process_create_time(child.pid) is None
    assert not is_alive(child.pid, created)


@pytest.mark.parametrize("pid", [None, 0, -1])
def test_no_process_is_dead(pid):
    assert not is_alive(pid, 1.0)


def test_a_name_with_brackets_does_not_confuse(tmp_path):
    odd = tmp_path / "a) Z 1 (b"
    odd.symlink_to(sys.executable)
    with subprocess.Popen([odd, "-c", "input()"], stdin=subprocess.PIPE) as process:
        created = process_create_time(process.pid)
        process.kill()

    assert created == pytest.approx(time.time(), abs=600)


def test_it_is_light_to_import():
    heavy = {"psutil", "pydantic", "torch"}
    code = f"import sys, accsearch.process_identity; print(len({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "0"


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"host": "another"}, False),
        ({"identity": "b0075a11-0000-0000-0000-000000000000:77"}, False),
        ({"namespace": "4026539999"}, False),
        ({"identity": None, "namespace": None}, True),
    ],
)
def test_a_machine_is_known_by_name_boot_and_pid_namespace(changes, same):
    mine = {"host": host_name(), "identity": process_identity(os.getpid()), "namespace": pid_namespace()}
    assert is_this_machine(**(mine | changes)) is same
