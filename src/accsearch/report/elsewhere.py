"""The same methods without accsearch: by their published packages, by diffusers, by cache-dit, as far as they agree."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Cell, Family
from accsearch.methods.compatibility import admits, caution
from accsearch.methods.info import Parameters, quantile
from accsearch.methods.taylorseer import identifiers
from accsearch.methods.tgate import LOADERS
from accsearch.task import Methods

IN_CONTEXT: frozenset[Family] = frozenset({"flux", "qwen"})
"""Families whose pipelines enter the cache contexts that the hooks of diffusers need."""
UNETS: frozenset[Family] = frozenset({"sd", "sdxl"})
BLOCKS_UNNAMED: frozenset[Family] = frozenset({"sd3", "pixart", "sana", "auraflow"})
"""Families whose repeated blocks diffusers does not name, so that `compile_repeated_blocks` finds none."""
UNCOMPARED = " (images not compared)"
"""Follows a package whose code was not run against the images of accsearch's own method."""
YAML_FILE = "cache-dit.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the code depends on beside the methods: the cell and its pipeline, the seed, MagCache's ratios."""

    cell: Cell
    methods: Methods
    pipeline_class: str
    seed: int
    ratios: list[float] | None

    @property
    def denoiser(self) -> str:
        """The expression that names the denoiser."""
        return "pipe.unet" if self.cell.family in UNETS else "pipe.transformer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """How one method is put on `pipe`: `setup` before the call of `function`, with `arguments` more, `undo` after."""

    package: str
    setup: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    function: str = "pipe"
    arguments: Mapping[str, int] = field(default_factory=dict)


def elsewhere(run: Run, arguments: Mapping[str, object]) -> Iterator[str]:
    """Yield comment lines: code that makes the same images without accsearch, or why only accsearch makes them.

    `arguments` are those of the pipeline's call but the prompt, as source code.
    """
    found = {name: _of(run, name) for name in sorted(run.methods, key=lambda name: METHODS[name].nesting)}
    reasons = [f"# Only accsearch does this: {why}." for why in found.values() if isinstance(why, str)]
    if reasons:
        yield from dict.fromkeys(reasons)
        return
    codes = [code for code in found.values() if isinstance(code, Code)]
    yield f"# The same without accsearch, by {' and '.join(dict.fromkeys(code.package for code in codes))}:"
    function = next((code.function for code in codes if code.function != "pipe"), "pipe")
    call = dict(arguments)
    for code in codes:
        call |= code.arguments
    written = ", ".join(f"{key}={value}" for key, value in call.items())
    lines = [line for code in codes for line in code.setup]
    lines += [f'image = {function}("your prompt", {written}).images[0]', 'image.save("image.png")']
    lines += [line for code in reversed(codes) for line in code.undo]
    yield from (f"# {line}" for line in lines)


def _of(run: Run, name: str) -> Code | str:
    """Return how `name` is put on without accsearch, or why it is not the same there."""
    if name not in _METHODS:
        return f"its {name} was not compared with another package"
    own = run.methods[name]
    if any(quantile(value) is not None for value in own.values()):
        return f"{name}'s quantile is resolved in the first call"
    return _METHODS[name](run, own)


def _packaged(run: Run) -> str | None:
    """Return why the packages for UNets do not make the images of accsearch's own methods."""
    cell = replace(run.cell, implementation="package")
    return admits(cell, run.methods) or caution(cell, run.methods)


def _deepcache(run: Run, own: Parameters) -> Code | str:
    if reason := _packaged(run):
        return reason
    if "tgate" in run.methods:
        return Code(package="DeepCache")
    return Code(
        package="DeepCache",
        setup=(
            "from DeepCache import DeepCacheSDHelper",
            "helper = DeepCacheSDHelper(pipe=pipe)",
            f"helper.set_params({_keywords(own)})",
            "helper.enable()",
        ),
        undo=("helper.disable()",),
    )


def _tome(run: Run, own: Parameters) -> Code | str:
    if reason := _packaged(run):
        return reason
    return Code(
        package="tomesd",
        setup=(
            "import tomesd",
            f"tomesd.apply_patch(pipe, {_keywords(own)})",
            "generator = torch.Generator(pipe.device)",
            f'pipe.unet._tome_info["args"]["generator"] = generator.manual_seed({run.seed})  # before each call',
        ),
        undo=("tomesd.remove_patch(pipe)",),
    )


def _tgate(run: Run, own: Parameters) -> Code | str:
    if reason := _packaged(run):
        return reason
    deepcache = run.methods.get("deepcache")
    loader = LOADERS.get(run.pipeline_class, (None, None))[deepcache is not None]
    if loader is None:
        return f"tgate has no loader for {run.pipeline_class} with these methods"
    more = f", {_keywords(deepcache)}" if deepcache else ""
    return Code(
        package="tgate" if run.cell.family == "sd" else f"tgate{UNCOMPARED}",
        setup=(
            f"from tgate import {loader}",
            f"{loader}(pipe{more})",
            f"for module in {run.denoiser}.modules():  # before each call: tgate keeps its caches",
            '    vars(module).pop("cache", None)',
        ),
        function="pipe.tgate",
        arguments={key: int(value) for key, value in own.items()},
    )


def _fewer_steps(run: Run, own: Parameters) -> Code | str:
    left = METHODS["fewer_steps"].steps_left(own, run.cell.steps)
    return Code(package="diffusers", arguments={"num_inference_steps": left})


def _hook(run: Run, name: str, fields: Mapping[str, object]) -> Code | str:
    if run.cell.family not in IN_CONTEXT:
        return f"{run.pipeline_class} enters no cache context, which the hook of diffusers for {name} needs"
    if mixed := sorted(run.methods.keys() - {name, "attention"}):
        return f"{name} with {mixed[0]} was not compared with the hook of diffusers"
    library = METHODS[name].library
    assert library is not None
    written = ", ".join(f"{key}={value}" for key, value in fields.items())
    return Code(
        package="diffusers" if run.cell.family == "flux" else f"diffusers{UNCOMPARED}",
        setup=(
            f"from diffusers.hooks import {library.config}",
            f"{run.denoiser}.enable_cache({library.config}({written}))",
        ),
        undo=(f"{run.denoiser}.disable_cache()",),
    )


def _first_block_cache(run: Run, own: Parameters) -> Code | str:
    return _hook(run, "first_block_cache", {"threshold": own["threshold"]})


def _mag_cache(run: Run, own: Parameters) -> Code | str:
    if run.ratios is None:
        return "mag_cache's ratios are not in the task's files, they are found in the first call"
    fields = {
        "threshold": own["threshold"],
        "max_skip_steps": own["max_skip"],
        "retention_ratio": own["retention"],
        "num_inference_steps": len(run.ratios),
        "mag_ratios": run.ratios,
    }
    return _hook(run, "mag_cache", fields)


def _taylorseer(run: Run, own: Parameters) -> Code | str:
    fields = {
        "cache_interval": own["interval"],
        "disable_cache_before_step": own["warm_up"],
        "max_order": own["order"],
        "taylor_factors_dtype": f"{run.denoiser}.dtype",
        **identifiers(own),
    }
    return _hook(run, "taylorseer", fields)


def _attention(run: Run, own: Parameters) -> Code | str:
    if run.cell.family not in IN_CONTEXT:
        return f"set_attention_backend of diffusers was not compared on {run.pipeline_class}"
    compared = run.cell.family == "flux" and own["backend"] == "math"
    return Code(
        package="diffusers" if compared else f"diffusers{UNCOMPARED}",
        setup=(f'{run.denoiser}.set_attention_backend("_native_{own["backend"]}")',),
        undo=(f"{run.denoiser}.reset_attention_backend()",),
    )


def _compile(run: Run, own: Parameters) -> Code | str:
    if len(run.methods) > 1:
        return "it compiles what its other methods run in the denoiser's place"
    if own["mode"] != "default":
        return "it copies outputs that a replayed CUDA graph would overwrite"
    if own["regions"] == "denoiser":
        return Code(package=f"torch{UNCOMPARED}", setup=(f"{run.denoiser}.compile(dynamic=False)",))
    if run.cell.family in UNETS:
        return "the blocks of a UNet have more shapes than torch.compile's recompile limit"
    if run.cell.family in BLOCKS_UNNAMED:
        return "diffusers does not name this denoiser's repeated blocks, so that it compiles none"
    return Code(
        package=f"diffusers{UNCOMPARED}", setup=(f"{run.denoiser}.compile_repeated_blocks(dynamic=False)",)
    )


def _cache_dit(run: Run, own: Parameters) -> Code | str:
    if mixed := sorted(run.methods.keys() - {"cache_dit", "attention"}):
        return f"cache_dit with {mixed[0]} was not compared with cache-dit alone"
    yaml = (
        "cache_config:",
        f"  Fn_compute_blocks: {own['first']}",
        f"  Bn_compute_blocks: {own['last']}",
        f"  residual_diff_threshold: {own['threshold']}",
        f"  max_warmup_steps: {own['warm_up']}",
    )
    return Code(
        package=f"cache-dit{UNCOMPARED}",
        setup=(
            "import cache_dit",
            f'open("{YAML_FILE}", "w").write("""\\',
            *yaml,
            '""")',
            f'cache_dit.enable_cache(pipe, **cache_dit.load_configs("{YAML_FILE}"))',
        ),
        undo=("cache_dit.disable_cache(pipe)",),
    )


def _own(reason: str) -> Callable[[Run, Parameters], str]:
    return lambda _run, _own: reason


def _keywords(parameters: Parameters) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in parameters.items())


_METHODS: Mapping[str, Callable[[Run, Parameters], Code | str]] = {
    "deepcache": _deepcache,
    "tome": _tome,
    "tgate": _tgate,
    "first_block_cache": _first_block_cache,
    "mag_cache": _mag_cache,
    "taylorseer": _taylorseer,
    "attention": _attention,
    "fewer_steps": _fewer_steps,
    "compile": _compile,
    "cache_dit": _cache_dit,
    "pyramid_attention_broadcast": _own(
        "its range is one of steps and each half of guidance has its cache; that of diffusers is one of timesteps"
    ),
    "faster_cache": _own("its range is one of steps; that of diffusers is one of timesteps"),
    "step_cache": _own("step_cache is its own, for any denoiser"),
    "guidance_cutoff": _own("guidance_cutoff leaves out a half in batches, on any guided pipeline"),
}
