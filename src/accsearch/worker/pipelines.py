"""Load a pipeline of diffusers, by what the registry says of the model."""

import re
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from accsearch.config.models import FAMILIES, ModelInfo
from accsearch.config.pipeline_classes import unusable_class
from accsearch.config.sampling import misfit
from accsearch.demo import PIPELINES
from accsearch.demo.operators import register_torchvision_operators
from accsearch.errors import AccsearchError, UsageError
from accsearch.worker.hub import without_hub
from accsearch.worker.machine import Machine
from accsearch.worker.unused_packages import left_out_package

TINY: Mapping[str, tuple[str, str]] = {
    "builtin:tiny-sd": ("tiny", "build_tiny_sd"),
    "builtin:tiny-sdxl": ("tiny", "build_tiny_sdxl"),
    "builtin:tiny-flux": ("tiny_transformers", "build_tiny_flux"),
    "builtin:tiny-pixart": ("tiny_transformers", "build_tiny_pixart"),
    "builtin:tiny-qwen": ("tiny_transformers", "build_tiny_qwen"),
    "builtin:tiny-sana": ("tiny_transformers", "build_tiny_sana"),
    "builtin:tiny-sd3": ("tiny_transformers", "build_tiny_sd3"),
}
"""Built-in tiny pipeline → the module of `accsearch.demo` and its function that saves it."""
_SNAPSHOT = re.compile(r"/snapshots/([0-9a-f]{40})(?:/|$)")


def load_pipeline(model: ModelInfo, scheduler: str, machine: Machine) -> Any:
    """Return the pipeline on its device, with `scheduler` made from its own scheduler's settings.

    Weights must be safetensors and code of a repository is never run. The hub's client locks each file, so
    that several workers download it once. Raises UsageError where diffusers lacks the class or the folder lacks
    weights, AccsearchError where the hub does not answer.
    """
    if model.pipeline_class not in FAMILIES and (why := unusable_class(model.pipeline_class)):
        raise UsageError(why)
    register_torchvision_operators()
    import diffusers

    pipeline_class = getattr(diffusers, model.pipeline_class, None)
    scheduler_class = getattr(diffusers, f"{scheduler}Scheduler", None)
    for name, found in ((model.pipeline_class, pipeline_class), (f"{scheduler}Scheduler", scheduler_class)):
        if found is None:
            raise UsageError(f"diffusers {diffusers.__version__} has no {name}")
    with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
        source = _source(model.model_id, Path(folder))
        optional: dict[str, Any] = {"safety_checker": None} if model.family == "sd" else {}
        if model.family == "sd":
            optional["requires_safety_checker"] = False
        try:
            pipeline = pipeline_class.from_pretrained(  # type: ignore[union-attr]
                source,
                revision=model.revision,
                variant=model.variant,
                dtype=machine.dtype,
                use_safetensors=True,
                **optional,
            )
        except (OSError, ValueError) as error:
            # A folder will not change by trying again; the hub may answer next time.
            wrong = isinstance(error, ValueError) or Path(source).is_dir()
            kind = UsageError if wrong else AccsearchError
            advice = "" if wrong else f" ({without_hub('model')})"
            raise kind(f"{source} cannot be loaded{advice}: {' '.join(str(error).split())}") from error
        except ImportError as error:
            package = left_out_package(error)
            if package is None:
                raise
            why = f"it needs {package}, which is loaded only where a trial's method needs it"
            raise UsageError(f"{source} cannot be loaded: {why}") from error
    if why := misfit(scheduler, pipeline.scheduler.config, model.pipeline_class, model.alias):
        raise UsageError(why)
    try:
        pipeline.scheduler = scheduler_class.from_config(pipeline.scheduler.config)  # type: ignore[union-attr]
    except (ImportError, NotImplementedError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UsageError(f"{scheduler} cannot be made with {model.alias}'s settings: {said}") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(machine.device)


def commit_of(pipeline: Any) -> str | None:
    """Return the commit of the hub's repository that a pipeline was loaded from, None for a folder's.

    The hub's client keeps each commit's files in a folder of its name, which diffusers notes in the models.
    """
    network = pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
    found = _SNAPSHOT.search(network.config.get("_name_or_path") or "")
    return found[1] if found else None


def _source(model_id: str, folder: Path) -> str:
    """Return a hub id or a folder; a built-in tiny pipeline is built in `folder`."""
    if model_id in TINY:
        module, name = TINY[model_id]
        build = getattr(import_module(f"accsearch.demo.{module}"), name)
        return str(build(folder / "pipeline"))
    return str(PIPELINES.get(model_id, model_id))
