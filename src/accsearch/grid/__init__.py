"""Configuration → tasks and their trials; pure: reads no file and starts nothing."""

from accsearch.grid.digest import digest_parts
from accsearch.grid.expand import Grid, expand
from accsearch.grid.worker_command import command_line, success_sentinel, worker_imports

__all__ = ["Grid", "command_line", "digest_parts", "expand", "success_sentinel", "worker_imports"]
