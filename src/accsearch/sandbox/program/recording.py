"""Remember how the generated file itself calls its pipeline, to call it in the same way later."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ENTRY_NAMES = ("tgate",)
"""Methods, beside the call itself, that packages put on a pipeline to generate images."""

OURS = frozenset(
    {
        "self", "prompt", "prompt_2", "prompt_3", "prompt_embeds", "negative_prompt_embeds",
        "pooled_prompt_embeds", "negative_pooled_prompt_embeds", "generator", "latents",
        "num_images_per_prompt", "output_type", "return_dict", "callback", "callback_on_step_end",
        "args", "kwargs",
    }
)  # fmt: skip
"""Arguments that the parent decides, or that belong to the file's own prompt."""


@dataclass(frozen=True)
class Call:
    """A generating call: on which pipeline, by which name, with which arguments besides the prompt."""

    pipeline: Any
    entry: str
    arguments: Mapping[str, Any]


class CallRecorder:
    """Holds the calls that pipelines of diffusers received, the last one of each pipeline and of all."""

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self.last: Call | None = None

    def last_on(self, pipeline: Any) -> Call | None:
        """Return the last generating call on `pipeline`."""
        return self._calls.get(id(pipeline))

    def install(self) -> None:
        """Wrap the calls of every pipeline class, those not yet imported too; needs diffusers."""
        from diffusers import DiffusionPipeline

        recorder = self
        inherited = DiffusionPipeline.__init_subclass__

        def init_subclass(cls: Any, /, **options: Any) -> None:
            inherited(**options)
            recorder._wrap_class(cls)

        DiffusionPipeline.__init_subclass__ = classmethod(init_subclass)
        for known in _subclasses(DiffusionPipeline):
            self._wrap_class(known)
        for name in ENTRY_NAMES:
            setattr(DiffusionPipeline, name, _Entry(name, recorder))

    def _wrap_class(self, cls: Any) -> None:
        original = cls.__dict__.get("__call__")
        if original is not None:
            cls.__call__ = self.wrapped("__call__", original)

    def wrapped(self, entry: str, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return `original` (a function that takes the pipeline first), remembering each call."""
        signature = inspect.signature(original)

        @functools.wraps(original)
        def call(pipeline: Any, *positional: Any, **named: Any) -> Any:
            self.last = Call(pipeline, entry, _arguments(signature, pipeline, positional, named))
            self._calls[id(pipeline)] = self.last
            return original(pipeline, *positional, **named)

        return call


class _Entry:
    """A descriptor that wraps the method which a package sets on a pipeline."""

    def __init__(self, name: str, recorder: CallRecorder) -> None:
        self._slot = f"_recorded_{name}"
        self._name = name
        self._recorder = recorder

    def __get__(self, pipeline: Any, owner: Any) -> Any:
        if pipeline is None or self._slot not in pipeline.__dict__:
            raise AttributeError(self._name)
        return pipeline.__dict__[self._slot]

    def __set__(self, pipeline: Any, method: Any) -> None:
        function = getattr(method, "__func__", None)
        wrapped = self._recorder.wrapped(self._name, function).__get__(pipeline) if function else method
        pipeline.__dict__[self._slot] = wrapped

    def __delete__(self, pipeline: Any) -> None:
        pipeline.__dict__.pop(self._slot, None)


def _arguments(
    signature: inspect.Signature, pipeline: Any, positional: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    try:
        bound = signature.bind_partial(pipeline, *positional, **named).arguments
    except TypeError:
        # The call itself will say what is wrong.
        return {}
    extra = bound.get("kwargs", {})
    return {name: value for name, value in {**bound, **extra}.items() if name not in OURS}


def _subclasses(cls: Any) -> list[Any]:
    found = list(cls.__subclasses__())
    return found + [each for below in found for each in _subclasses(below)]
