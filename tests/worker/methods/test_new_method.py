"""Adding a method takes its two modules and its line in the catalogue: one is added here and used everywhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.worker.methods.images import DEEPCACHE, STEPS, call, images, with_scheduler
from tests.worker.methods.state import State

import accsearch
from accsearch.config.load import build_config
from accsearch.errors import ConfigError
from accsearch.grid import expand
from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Cell
from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.report import text
from accsearch.search.calls import denoiser_calls
from accsearch.task import Methods
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Invoke, Session


def refusal(cell: Cell, methods: Methods) -> str | None:
    period = methods["hold"]["period"]
    return f"period {period} is more than {cell.steps} steps" if int(period) > cell.steps else None


HOLD = MethodInfo(
    name="hold",
    doc="The denoiser is called every few steps, and its prediction is held in between.",
    paper="none: made for this test",
    parameters={
        "period": ParameterInfo(
            type=int,
            minimum=2,
            default=2,
            short="p",
            label="every",
            doc="steps that share one call",
        ),
        "first": ParameterInfo(type=int, minimum=0, default=0, short="f", doc="steps left alone"),
    },
    exact=False,
    supports=frozenset({"sd"}),
    nesting=Nesting.SAMPLER,
    conflict=lambda other: "hold and half are never tried at once" if other == "half" else None,
    refusal=refusal,
    calls=lambda own, steps, _fresh: ["hold:held" if held(own, step) else "" for step in range(steps)],
)


def held(parameters: Parameters, step: int) -> bool:
    first = int(parameters["first"])
    return step > first and (step - first) % int(parameters["period"]) != 0


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    inner, last = session.denoiser.forward, None

    def forward(*args: Any, **kwargs: Any) -> Any:
        nonlocal last
        if not held(parameters, session.clock.step):
            last = inner(*args, **kwargs)
        return last

    with replaced(session.denoiser, forward):
        yield invoke


@pytest.fixture(autouse=True)
def hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the method as its two files and the line in the catalogue would."""
    twin = ModuleType("accsearch.worker.methods.hold")
    twin.native = native
    monkeypatch.setitem(sys.modules, twin.__name__, twin)
    monkeypatch.setitem(METHODS, "hold", HOLD)


def parameters(period: int) -> Methods:
    return {"hold": {"period": period, "first": 0}}


def config(**methods: Any) -> Any:
    return build_config(
        {"grid": {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [4, 20]}, "methods": methods}
    )


def test_its_trials_are_in_the_grid_with_its_rules() -> None:
    grid = expand(
        config(deepcache={"cache_interval": [2]}, half={"dtype": "bfloat16"}, hold={"period": [2, 5]})
    )

    assert [trial.id for trial in grid.tasks[0].trials] == [
        *("baseline", "deepcache-i2-b0", "half-bfloat16", "hold-p2-f0"),
        *("deepcache-i2-b0+half-bfloat16", "deepcache-i2-b0+hold-p2-f0"),
    ]
    assert "deepcache-i2-b0+hold-p5-f0" in [trial.id for trial in grid.tasks[1].trials]
    assert grid.notes == (
        "methods.hold.period 5 is left out of 1 of 2 tasks: period 5 is more than 4 steps",
        "hold and half are never tried at once",
    )


def test_a_mistake_in_its_section_names_its_parameters() -> None:
    with pytest.raises(ConfigError, match=r"methods\.hold\.periot.*did you mean period"):
        config(hold={"periot": [2]})


def test_reports_and_predictions_know_it() -> None:
    assert text.methods(parameters(3)) == "hold every 3, first 0"
    assert denoiser_calls(parameters(3), 5) == ("", "hold:held", "hold:held", "", "hold:held")


@pytest.mark.parametrize("implementation", ["native", "package"])
@pytest.mark.parametrize("others", [{}, {"deepcache": DEEPCACHE}], ids=["alone", "with deepcache"])
def test_it_is_put_on_outside_of_the_others_and_undone(
    tiny_pipelines: dict[str, Any], implementation: str, others: Methods
) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    plain = images(pipeline, others, implementation)
    before = State(pipeline)
    made: list[int] = []

    with apply(pipeline, {**parameters(3), **others}, implementation=implementation, seed=7) as invoke:
        hook = pipeline.unet.conv_in.register_forward_hook(lambda *_: made.append(1))
        changed = call(invoke)
        hook.remove()
        with invoke.suspended():
            assert "forward" not in vars(pipeline.unet)

    assert len(made) == ceil(STEPS / 3)
    assert not torch.equal(changed, plain)
    before.check(pipeline)
    assert torch.equal(images(pipeline, others, implementation), plain)


def test_accelerate_calls_the_pipeline_by_the_class_that_a_method_leaves(
    tiny_pipelines: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    plain, made, undone_on = type(pipeline), [], []

    @contextmanager
    def exchanged(session: Session, invoke: Invoke, _parameters: Parameters) -> Iterator[Invoke]:
        """Do as cache-dit: the caches are open in the `__call__` of the class, and closed by that class."""

        def opened(self: Any, *args: Any, **kwargs: Any) -> Any:
            made.append(1)
            return plain.__call__(self, *args, **kwargs)

        left = type(plain.__name__, (plain,), {"__call__": opened})
        session.pipeline.__class__ = left
        yield invoke
        undone_on.append(type(session.pipeline) is left)
        session.pipeline.__class__ = plain

    monkeypatch.setattr(sys.modules["accsearch.worker.methods.hold"], "native", exchanged)

    with accsearch.accelerate(pipeline, {"hold": {}}):
        for _ in range(2):
            pipeline("a red cat", num_inference_steps=2, output_type="np")

    assert len(made) == 2
    assert undone_on == [True]
    assert type(pipeline) is plain
