"""Who a process belongs to, for messages."""

import os
import pwd
from pathlib import Path


def user_name(uid: int) -> str:
    """Return the name of a user id, or the number as text."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def process_user(pid: int) -> str | None:
    """Return the user of a process, None if it is not here (it ended, or is in another container)."""
    try:
        return user_name(Path(f"/proc/{pid}").stat().st_uid)
    except OSError:
        return None


def describe_process(pid: int) -> str:
    """Return `pid 123 (alice)`."""
    user = process_user(pid)
    return f"pid {pid} ({user})" if user else f"pid {pid}"


def this_user() -> str:
    """Return the name of the user this process acts as."""
    return user_name(os.geteuid())
