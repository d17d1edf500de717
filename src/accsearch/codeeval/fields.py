"""The five fields in force at a program's last image-generating call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SETTINGS = ("pipeline", "model_id", "scheduler", "num_inference_steps")
FIELD_NAMES = (*SETTINGS, "acceleration_methods")

Parameters = Mapping[str, Any]
State = Literal["known", "unset", "undetermined"]
"""`unset` is what the code leaves to the library, `undetermined` what only a run can tell; both have no value."""


@dataclass(frozen=True)
class Fields:
    """What a program sets; None is what it does not set or what only a run can tell.

    `methods` maps each active acceleration method to the parameters that the code writes; None if it is
    unknown which methods are active. `unwritten` names the fields that are None because the code leaves the
    library's default. `arguments` are those of `CALL_ARGUMENTS` that the call gives (None for a value that only
    a run can tell); None if no such call was seen.
    """

    pipeline: str | None = None
    model_id: str | None = None
    scheduler: str | None = None
    num_inference_steps: int | None = None
    methods: Mapping[str, Parameters] | None = field(default_factory=dict)
    unwritten: frozenset[str] = frozenset()
    arguments: Parameters | None = None

    @property
    def acceleration_methods(self) -> list[str] | None:
        """Sorted names of the active methods."""
        return None if self.methods is None else sorted(self.methods)

    @property
    def states(self) -> dict[str, State]:
        """The state of each field by its name."""
        return {
            name: "known" if value is not None else "unset" if name in self.unwritten else "undetermined"
            for name, value in self.as_json().items()
        }

    def as_json(self) -> dict[str, Any]:
        """Return the five fields as the `compare` command prints them."""
        return {name: getattr(self, name) for name in FIELD_NAMES}


UNDETERMINED_FIELDS = Fields(methods=None)
"""Nothing is known of the call."""


def agreement(candidates: Iterable[Fields]) -> Fields:
    """Return what all `candidates` agree on; a field on which two differ is unknown."""
    first, *others = candidates
    for other in others:
        first = Fields(
            pipeline=first.pipeline if first.pipeline == other.pipeline else None,
            model_id=first.model_id if first.model_id == other.model_id else None,
            scheduler=first.scheduler if first.scheduler == other.scheduler else None,
            num_inference_steps=(
                first.num_inference_steps if first.num_inference_steps == other.num_inference_steps else None
            ),
            methods=_common_methods(first.methods, other.methods),
            unwritten=first.unwritten & other.unwritten,
            arguments=_common_arguments(first.arguments, other.arguments),
        )
    return first


def _common_methods(
    first: Mapping[str, Parameters] | None, other: Mapping[str, Parameters] | None
) -> Mapping[str, Parameters] | None:
    if first is None or other is None or first.keys() != other.keys():
        return None
    return {name: _common_parameters(first[name], other[name]) for name in first}


def _common_arguments(first: Parameters | None, other: Parameters | None) -> Parameters | None:
    return None if first is None or other is None else _common_parameters(first, other)


def _common_parameters(first: Parameters, other: Parameters) -> Parameters:
    return {
        key: first[key] if key in first and key in other and first[key] == other[key] else None
        for key in {**first, **other}
    }
