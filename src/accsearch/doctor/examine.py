"""Everything that `accsearch doctor` looks at, in the order in which it is worth reading."""

from collections.abc import Iterator, Sequence

from accsearch.checkpoint.plan import load_plan
from accsearch.checkpoint.verify import verify
from accsearch.config.schema import Config
from accsearch.doctor.downloads import check_downloads
from accsearch.doctor.finding import Finding, Severity
from accsearch.doctor.graphics import check_graphics
from accsearch.doctor.hosts import check_hosts
from accsearch.doctor.packages import check_packages
from accsearch.doctor.storage import check_storage
from accsearch.doctor.system import check_system
from accsearch.errors import AccsearchError
from accsearch.workdir import DONE, WorkDir


def examine(workdir: WorkDir, configs: Sequence[Config] = ()) -> Iterator[Finding]:
    """Yield each finding as it is made; changes nothing that stays.

    Of `configs` it looks whether the models, prompts and scorers are in the hub's cache.
    """
    yield from check_packages()
    yield from check_graphics()
    yield from check_system()
    yield from check_storage(workdir.root)
    yield from check_hosts(workdir)
    for config in configs:
        yield from check_downloads(config)
    yield from check_plans(workdir)
    yield from check_results(workdir)


def check_plans(workdir: WorkDir) -> Iterator[Finding]:
    """Read each stored plan, without which `status`, `retry` and `best` know nothing of its tasks."""
    for config in workdir.configs():
        try:
            load_plan(workdir, config)
        except AccsearchError as error:
            yield Finding("plan", Severity.ERROR, str(error))


def check_results(workdir: WorkDir) -> Iterator[Finding]:
    """Compare the results of finished tasks with the hashes in their markers."""
    problems = verify(workdir)
    yield from (Finding("results", Severity.ERROR, problem) for problem in problems)
    if not problems:
        done = workdir.marked(DONE)
        yield Finding("results", Severity.OK, f"{len(done)} finished tasks, every hash holds")
