"""The configuration as frozen models; docs/configuration.md is its reference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StrictStr,
    model_validator,
)

from accsearch.config.fields import (
    ABSOLUTE,
    AXIS,
    CONFIG_NAME,
    VALUE,
    VARIABLE,
    as_list,
    matching,
    parsed,
    regular_expression,
)
from accsearch.config.models import ModelInfo
from accsearch.config.units import parse_budget, parse_duration, parse_limit, parse_size
from accsearch.task import MEASUREMENT_VERSION, SUCCESS, Scalar

DAY = 86_400.0
MAX_REPEATS = 10
DEFAULT_SCORER = {"model": "ViT-g-14", "pretrained": "laion2b_s34b_b88k"}
LOCAL_SCORER = "local-dir:"
"""open_clip's prefix of a folder that holds a model with its weights."""
COMMAND_SCORER = "command:"
"""Stands for the model where a program of the user's scores."""
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What a stored configuration of another shape raises when it is read; pydantic's ValidationError is a ValueError."""
Int = Annotated[int, Strict()]
Float = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[Float, Field(ge=0, le=1)]
Count = Annotated[Int, Field(ge=1)]
Seconds = Annotated[float, BeforeValidator(parsed(parse_duration)), Field(le=365 * DAY)]
Limit = Annotated[Annotated[float, Field(le=365 * DAY)] | None, BeforeValidator(parsed(parse_limit))]
Bytes = Annotated[int, BeforeValidator(parsed(parse_size))]
Budget = Annotated[int | float | None, BeforeValidator(parsed(parse_budget))]
"""A number of trials, or seconds as a float."""
Text = Annotated[StrictStr, Field(min_length=1)]
Pixels = Annotated[Int, Field(ge=8, le=8192, multiple_of=8)]
Name = Annotated[
    StrictStr, AfterValidator(matching(CONFIG_NAME, "ASCII letters, digits and ._+-, first no sign"))
]
AxisName = Annotated[StrictStr, AfterValidator(matching(AXIS, "an identifier such as steps"))]
AxisValue = Annotated[
    StrictStr, AfterValidator(matching(VALUE, "letters, digits and .+-, no underscore, first no sign"))
]
AxisValues = Annotated[tuple[AxisValue, ...], BeforeValidator(as_list), Field(min_length=1)]


class Section(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkerConfig(Section):
    """How a cell is run and measured; `command` and what follows it concern command workers."""

    kind: Literal["traversal_search", "command"] = "traversal_search"
    num_samples: Count = 32
    batch_size: Count = 4
    seed: Annotated[Int, Field(ge=0, lt=2**63)] = 42
    device: Literal["cuda", "cpu", "auto"] = "cuda"
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"
    guidance_scale: Annotated[Float, Field(ge=0, le=100)] | None = None
    height: Pixels | None = None
    width: Pixels | None = None
    repeats: Count = 3
    max_repeats: Count = MAX_REPEATS
    ci_width: Annotated[Float, Field(gt=0, lt=1)] = 0.01
    warmup: Annotated[Int, Field(ge=0)] = 1
    keep_images: StrictBool = False
    stability: StrictBool = False
    env: Mapping[Annotated[StrictStr, AfterValidator(matching(VARIABLE, "a variable name"))], StrictStr] = {}
    warm: StrictBool = True
    timeout: Limit = None
    stall_timeout: Limit = None
    command: tuple[Text, ...] = ()
    success_sentinel: Text = SUCCESS
    failure_patterns: tuple[Annotated[Text, AfterValidator(regular_expression)], ...] = (
        "CUDA out of memory",
        "^Traceback ",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Fill in the defaults that depend on other keys."""
        if not isinstance(data, Mapping):
            return data
        # Only accsearch's own worker is known to show progress; what a command prints is its own affair.
        stall = {} if data.get("kind") == "command" else {"stall_timeout": 1800.0}
        repeats = data.get("repeats")
        most = {"max_repeats": repeats} if isinstance(repeats, int) and repeats > MAX_REPEATS else {}
        return {**stall, **most, **data}


class PromptsConfig(Section):
    """Where prompts come from: a file of one a line, or a data set (hub name or local folder)."""

    file: Text | None = None
    dataset: Text | None = None
    split: Text = "validation"
    column: Text = "captions"
    revision: Text | None = None


class QualityConfig(Section):
    """The CLIP score's model: an open_clip name and weights, or `builtin:demo`, `builtin:tiny`; or a program.

    `timeout` is how long the program may take for the images of one call.
    """

    model: Text = DEFAULT_SCORER["model"]
    pretrained: Text | None = None
    command: tuple[Text, ...] = ()
    timeout: Seconds = 600.0

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Fill in the weights of the default model, and the name that stands for a program."""
        if not isinstance(data, Mapping):
            return data
        if data.get("command"):
            if data.get("model") not in (None, COMMAND_SCORER) or data.get("pretrained") is not None:
                raise ValueError("either {command} or {model, pretrained}")
            return {**data, "model": COMMAND_SCORER}
        if data.get("pretrained") is not None:
            return data
        same = data.get("model") in (None, DEFAULT_SCORER["model"])
        return {**data, "pretrained": DEFAULT_SCORER["pretrained"]} if same else data


class SearchConfig(Section):
    """Every admitted trial, or the proved search for the upper bound at the score losses asked for."""

    strategy: Literal["traversal", "upper_bound"] = "traversal"
    max_score_loss: Annotated[tuple[Share, ...], BeforeValidator(as_list), Field(min_length=1)] = (0.01,)
    confidence: Annotated[Float, Field(ge=0.5, le=0.9999)] = 0.95
    budget: Budget = None
    confirm: StrictBool = True
    target_speedup: Annotated[Float, Field(ge=1)] | None = None
    trials: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    max_lpips: Annotated[Float, Field(gt=0)] | None = None


class GpuConfig(Section):
    """Which GPUs count as idle, and when one is given up."""

    max_utilization: Annotated[Int, Field(ge=0, le=100)] = 5
    max_used_memory: Bytes = 1 << 30
    min_free_memory: Bytes = 10 << 30
    samples: Count = 3
    exclude: Annotated[tuple[StrictStr, ...], BeforeValidator(as_list)] = ()
    allow_cpu: StrictBool = False
    release_timeout: Seconds = 60.0


class RetryConfig(Section):
    """What happens after a failure."""

    max_attempts: Count = 2
    on_oom: Literal["halve_batch", "same_batch", "fail"] = "halve_batch"
    backoff: Seconds = 5.0
    stop_after_identical: Count = 5


class ClusterConfig(Section):
    """What a cluster is asked for; one machine needs nothing of it."""

    address: Text | None = None
    scratch: Annotated[Text, AfterValidator(matching(ABSOLUTE, "an absolute path"))] = "/tmp"
    max_jobs: Count = 64
    cpus_per_task: Count = 1
    memory: Bytes | None = None
    partition: Text | None = None
    account: Text | None = None
    time: Limit = None
    constraint: Text | None = None
    gres: Text | None = None
    setup: Annotated[tuple[Text, ...], BeforeValidator(as_list)] = ()


class Facts(Section):
    """What was found out when the configuration was loaded, so that a stored plan needs no other file."""

    models: Mapping[str, ModelInfo] = {}
    prompts: str = ""
    scorer: str = ""
    default_methods: bool = False
    measurement_version: int = MEASUREMENT_VERSION
    """The version whose results count as the configuration's own; of a stored plan that which wrote it."""
    remarks: tuple[str, ...] = ()
    file: str | None = None


class Config(Section):
    """One configuration, complete: every default filled in, durations in seconds, sizes in bytes.

    `grid` maps axis to values as they were written, `methods` method to parameter to the values searched.
    """

    name: Name
    grid: Annotated[Mapping[AxisName, AxisValues], Field(min_length=1)]
    worker: WorkerConfig = WorkerConfig()
    prompts: PromptsConfig = PromptsConfig()
    quality: QualityConfig | None = QualityConfig()
    methods: Mapping[str, Mapping[str, tuple[Scalar, ...]]] = {}
    implementation: Literal["native", "package"] = "native"
    search: SearchConfig = SearchConfig()
    gpus: GpuConfig = GpuConfig()
    retry: RetryConfig = RetryConfig()
    cluster: ClusterConfig = ClusterConfig()
    facts: Facts = Facts()

    def model(self, pipe: str) -> ModelInfo:
        """Return the model behind the name `pipe` of the `pipe` axis; raises KeyError."""
        return self.facts.models[pipe]

    def scorer_identity(self) -> tuple[str, str | None, str]:
        """Return what results depend on of the scorer: names, and the content of local weights, never a path.

        Without a scorer the name is `none`.
        """
        if self.quality is None:
            return "none", None, ""
        model, pretrained = self.quality.model, self.quality.pretrained
        if model.startswith(LOCAL_SCORER):
            model = LOCAL_SCORER
        if pretrained is not None and Path(pretrained).is_absolute():
            pretrained = Path(pretrained).suffix
        return model, pretrained, self.facts.scorer

    def resolved(self) -> dict[str, Any]:
        """Return the whole configuration as JSON can hold it."""
        return self.model_dump(mode="json")

    @classmethod
    def from_resolved(cls, data: Mapping[str, Any]) -> "Config":
        """Rebuild what `resolved` returned, reading no other file; raises pydantic's ValidationError."""
        return cls.model_validate(data)
