"""The error hierarchy; the CLI maps each class to its exit code in one place."""

from collections.abc import Sequence
from pathlib import Path


class AccsearchError(Exception):
    """Base of every error whose message is meant for the user; prints as one line."""

    exit_code = 1

    @property
    def lines(self) -> Sequence[str]:
        """The message as it is printed."""
        return (" ".join(str(self).splitlines()),)


class UsageError(AccsearchError):
    """A wrong command line: a missing file, an unknown task, an ambiguous name."""

    exit_code = 2


class ConfigError(AccsearchError):
    """A mistake in a configuration, located by file, line and key."""

    exit_code = 2

    def __init__(
        self, message: str, *, file: str | Path = "", line: int | None = None, key: str = ""
    ) -> None:
        place = f"{file}:{line}" if line is not None else str(file)
        super().__init__(": ".join(part for part in (place, key, message) if part))
        self.key = key


class ConfigErrors(ConfigError):
    """Several mistakes in one configuration, one line each."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self._errors = tuple(errors)

    @property
    def lines(self) -> Sequence[str]:
        """The message as it is printed."""
        return tuple(line for error in self._errors for line in error.lines)


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """Return the one error, or one that says all of them."""
    return errors[0] if len(errors) == 1 else ConfigErrors(errors)


class MissingExtraError(AccsearchError):
    """An optional dependency is absent; the message holds the command that installs it."""

    exit_code = 2


class NoGpuError(AccsearchError):
    """No GPU that the run may use."""

    exit_code = 3


class NoIdleGpuError(NoGpuError):
    """There are GPUs, all of them busy."""


class StorageError(AccsearchError):
    """The work directory cannot be read or written (disk full, permissions)."""

    exit_code = 4


class TakenOverError(AccsearchError):
    """Another host has taken the work directory over from this run, which it took for dead."""
