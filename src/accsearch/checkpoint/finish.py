"""Judge an attempt that has ended: done, or failed and why."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from accsearch.checkpoint.failure_reason import classify, describe
from accsearch.checkpoint.log import SENTINEL_TAIL, find_line, find_pattern, last_error, read_tail
from accsearch.checkpoint.markers import Done, Exit, Failed, Results, Running
from accsearch.config.schema import Config
from accsearch.errors import StorageError
from accsearch.grid import digest_parts, success_sentinel
from accsearch.redact import redact, secrets_of
from accsearch.result_lines.file import read, validate
from accsearch.result_lines.versions import installed_versions
from accsearch.task import FailureReason, Task
from accsearch.workdir import WorkDir

MESSAGE = 500
"""Longest message of a failure, in characters."""


def judge(workdir: WorkDir, config: Config, task: Task, ended: Exit, running: Running) -> Done | Failed:
    """Return the verdict on an attempt whose worker has ended and whose log is still `T.log`.

    Done needs exit code 0, the success sentinel as a whole line, no failure pattern (command workers) and
    valid results. Where more than 4 KiB of output follow the sentinel it is written once more at the log's
    end, where later runs look for it. Raises StorageError if the log or the results cannot be read.
    """
    paths = workdir.task(task.config, task.id)
    try:
        failure = _failure(config, task, ended, paths.log, paths.results)
        if failure is None:
            return _done(workdir, config, task, ended, running)
        reason, message = failure
    except OSError as error:
        raise StorageError(f"{error.filename or paths.log}: {error.strerror}") from error
    secrets = secrets_of({**os.environ, **_text(config.worker.env)}, config.worker.command or ())
    return Failed(
        task=task.id,
        config=task.config,
        digest=running.digest or task.digest,
        attempt=ended.attempt,
        reason=reason,
        message=redact(message, secrets)[:MESSAGE],
        gpu=running.gpu,
        log=str(paths.log.relative_to(workdir.root)),
        finished_at=ended.finished_at,
        exit_code=ended.exit_code,
        signal=ended.signal,
        batch_size=running.batch_size,
        seconds=ended.seconds,
        nonce=ended.nonce,
        host=running.host,
        parts=_parts(config, task, running),
    )


def _failure(
    config: Config, task: Task, ended: Exit, log: Path, results: Path
) -> tuple[FailureReason, str] | None:
    own_worker = config.worker.kind == "traversal_search"
    if ended.exit_code != 0:
        tail = read_tail(log)
        return classify(ended, tail, own_worker=own_worker), describe(
            ended, last_error(tail, own_worker=own_worker)
        )
    if not own_worker and (line := find_pattern(log, config.worker.failure_patterns)) is not None:
        reason = classify(ended, line.encode(), own_worker=False)
        error = last_error(read_tail(log))
        more = f"; {error}" if error and error != line else ""
        return reason, f"exit code 0, but the log holds a failure: {line}{more}"
    sentinel = success_sentinel(config, task)
    behind = find_line(log, sentinel)
    if behind is None:
        if ended.reason is not None:
            tail = read_tail(log)
            return classify(ended, tail, own_worker=own_worker), describe(
                ended, last_error(tail, own_worker=own_worker)
            )
        return FailureReason.INCOMPLETE, f"exit code 0, but the log does not hold the line {sentinel!r}"
    if own_worker and (wrong := validate(results, task.trials)) is not None:
        return FailureReason.VALIDATION, wrong
    if behind > SENTINEL_TAIL:
        with log.open("ab") as file:
            file.write(f"\n{sentinel}\n".encode())
    return None


def _done(workdir: WorkDir, config: Config, task: Task, ended: Exit, running: Running) -> Done:
    paths = workdir.task(task.config, task.id)
    return Done(
        task=task.id,
        config=task.config,
        digest=running.digest or task.digest,
        attempt=ended.attempt,
        nonce=ended.nonce,
        started_at=running.started_at,
        finished_at=ended.finished_at,
        seconds=ended.seconds or 0.0,
        host=running.host,
        gpu=running.gpu,
        log=str(paths.log.relative_to(workdir.root)),
        results=_fingerprint(workdir.root, paths.results),
        versions=dict(installed_versions()),
        batch_size=running.batch_size,
        parts=_parts(config, task, running),
        measured_share=_measured_share(paths.results, ended) if task.trials else None,
    )


def _measured_share(results: Path, ended: Exit) -> float | None:
    """Return the share of the attempt's time in timed generation, 0 where it measured nothing."""
    timed = [line.timed_seconds or 0.0 for line in read(results) if line.attempt == ended.attempt]
    return max(timed, default=0.0) / ended.seconds if ended.seconds else None


def _parts(config: Config, task: Task, running: Running) -> dict[str, str] | None:
    """Return what the attempt's digest covers; unknown if the configuration has changed since it began."""
    return digest_parts(config, task) if running.digest in (None, task.digest) else None


def _fingerprint(root: Path, path: Path) -> Results | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return Results(
        path=str(path.relative_to(root)),
        lines=data.count(b"\n"),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _text(env: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in env.items()}
