"""What the acceleration packages do to a pipeline and its modules."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import compilation, constants, lineage, modules
from accsearch.codeeval.interpreter.elsewhere import HANDED
from accsearch.codeeval.interpreter.heap import METHOD_KEYS, UNDECIDED
from accsearch.codeeval.knowledge import (
    CACHE_CONFIGS,
    CACHE_FUNCTIONS,
    CACHE_PARAMETERS,
    CACHES,
    COMPONENTS,
    DEEPCACHE_CALL_PARAMETERS,
    DEEPCACHE_LOADER_PARAMETERS,
    HELPER_PARAMETERS,
    NETWORKS,
    PLAIN_ATTENTION,
    TOME_PARAMETERS,
)
from accsearch.codeeval.library_objects import CacheConfig, Compiled, Component, Helper, Pipeline
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Instance,
    Native,
    Repeated,
    Symbol,
    Tuple,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

HELPER_CLASS = Symbol("DeepCache.DeepCacheSDHelper")
COMPILE_REGIONS = ("accelerate.utils.compile_regions", "accelerate.compile_regions")
DEEPCACHE = ("deepcache",)
TOME = ("tome",)
COMPILE = ("torch_compile",)
LOADER = ("loader",)
PARAMETERS = ("parameters",)
OF_PARTS = ("apply", "children", "compile", "modules", "named_children", "named_modules")
"""Methods that a part of a component shares with the whole."""


def written(given: Arguments, signature: tuple[str, ...], skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the parameters that a call writes, by keyword or by place."""
    named = dict(zip(signature, given.positional, strict=False))
    named.update({name: value for name, value in given.keywords.items() if name in signature})
    return {name: constants.plain(value) for name, value in named.items() if name not in skipped}


def call(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    """Return the result of a function of an acceleration package, None if `function` is none."""
    if function.root == "tomesd" and function.leaf in ("apply_patch", "remove_patch"):
        return _tome(machine, function.leaf, given)
    if function.root == "tgate" and function.leaf.startswith("Tgate") and function.leaf.endswith("Loader"):
        return _loader(machine, function.leaf, given)
    if function == HELPER_CLASS:
        return make_helper(machine, function, given)
    if function.name == "torch.compile" or function.name in COMPILE_REGIONS:
        return compilation.compiled(given, blocks=function.name != "torch.compile")
    if function.root == "torch" and function.leaf in ("ModuleDict", "ModuleList", "Sequential"):
        return compilation.collected(machine, given)
    if function.root == "diffusers" and function.leaf in CACHE_FUNCTIONS:
        method = CACHE_FUNCTIONS[function.leaf]
        put(machine, given.get("module", 0), method, cache_settings(method, given.get("config", 1)))
        return Constant(None)
    if (function.root, function.leaf) in CACHE_CONFIGS:
        return _config(machine, function, given)
    if function.root == "para_attn" and function.leaf == "apply_cache_on_pipe":
        pipe = unwrapped(given.get("pipe", 0))
        parameters = {
            "threshold" if name == "residual_diff_threshold" else name: constants.plain(value)
            for name, value in given.keywords.items()
            if name != "pipe"
        }
        put(machine, pipe, "first_block_cache", parameters)
        return given.get("pipe", 0) or Unknown()
    return None


def unwrapped(value: Value | None) -> Value | None:
    """Return what `torch.compile` was given."""
    while isinstance(value, Compiled):
        value = value.inner
    return value


def network(pipe: Pipeline) -> Component | None:
    """Return the module that a patch of the whole pipeline goes into."""
    for name in NETWORKS:
        component = unwrapped(pipe.state.get(name))
        if isinstance(component, Component):
            return component
    return None


def accelerated_part(value: Value | None) -> Component | None:
    """Return the module that a method goes into which is given a pipeline or one of its modules."""
    target = unwrapped(value)
    if isinstance(target, Pipeline):
        return network(target)
    return target if isinstance(target, Component) else None


def put(machine: "Machine", target: Value | None, method: str, parameters: Mapping[str, Any]) -> None:
    """Note that a method is active in a pipeline or a module."""
    component = accelerated_part(target)
    if component is not None:
        machine.heap.write(component, (method,), dict(parameters))


def _tome(machine: "Machine", name: str, given: Arguments) -> Value:
    model = given.get("model", 0)
    component = accelerated_part(model)
    if component is not None:
        if name == "apply_patch":
            machine.heap.write(component, TOME, written(given, TOME_PARAMETERS, ("model",)))
        else:
            machine.heap.delete(component, TOME)
    return model or Unknown()


def _loader(machine: "Machine", name: str, given: Arguments) -> Value:
    pipe = given.get("pipe", 0)
    target = unwrapped(pipe)
    if not isinstance(target, Pipeline):
        return pipe or Unknown()
    machine.heap.write(target, LOADER, name)
    if "DeepCache" in name:
        helper = make_helper(machine, HELPER_CLASS, Arguments([target]))
        machine.heap.write(helper, PARAMETERS, written(given, DEEPCACHE_LOADER_PARAMETERS, ("pipe",)))
        call_helper(machine, helper, "enable", Arguments())
        machine.heap.write(target, "deepcache", helper)
    return pipe or target


def make_helper(machine: "Machine", cls: Value, given: Arguments) -> Helper:
    """Return a DeepCache helper on the pipeline given."""
    helper = Helper(cls)
    machine.heap.write(helper, PARAMETERS, {})
    machine.heap.write(helper, "pipe", given.get("pipe", 0) or Constant(None))
    return helper


def call_helper(machine: "Machine", helper: Helper, name: str, given: Arguments) -> Value:
    """Run a method of a DeepCache helper."""
    pipe = unwrapped(helper.state.get("pipe"))
    component = network(pipe) if isinstance(pipe, Pipeline) else None
    if name == "set_params":
        machine.heap.write(helper, PARAMETERS, written(given, HELPER_PARAMETERS))
    elif name == "enable" and component is not None:
        machine.heap.write(component, DEEPCACHE, helper)
    elif name == "disable" and component is not None and component.state.get(DEEPCACHE) is not None:
        if component.state[DEEPCACHE] in (helper, UNDECIDED):
            machine.heap.delete(component, DEEPCACHE)
    elif name == "__init__":
        machine.heap.write(helper, "pipe", given.get("pipe", 0) or Constant(None))
    return Constant(None)


def _config(machine: "Machine", function: Symbol, given: Arguments) -> Value:
    config = CacheConfig(function)
    signature = CACHE_PARAMETERS[CACHE_CONFIGS[function.root, function.leaf]]
    if given.open_positional or given.open_keywords:
        for name in signature:
            machine.heap.write(config, name, Unknown())
    for name, value in (*zip(signature, given.positional, strict=False), *given.keywords.items()):
        machine.heap.write(config, name, value)
    return config


def cache_settings(method: str, config: Value | None) -> dict[str, Any]:
    """Return the parameters that the configuration of a cache sets; all unknown if it is unknown itself."""
    if isinstance(config, Unknown):
        return dict.fromkeys(CACHE_PARAMETERS[method])
    if not isinstance(config, CacheConfig):
        return {}
    return {name: constants.plain(value) for name, value in config.state.items() if isinstance(value, Value)}


def method_of(config: Value | None) -> str | None:
    """Return the cache of which a value is the configuration."""
    cls = config.cls if isinstance(config, CacheConfig) else None
    return CACHE_CONFIGS.get((cls.root, cls.leaf)) if isinstance(cls, Symbol) else None


def call_component(
    machine: "Machine", component: Component, name: str, given: Arguments, part: Value | None = None
) -> Value:
    """Run a method of a module, or of a part of it."""
    inner = Native(part or component, "[]")
    if name in ("children", "modules"):
        return Repeated(inner)
    if name in ("named_children", "named_modules"):
        return Repeated(Tuple((Unknown(), inner)))
    if name == "apply" and given.positional:
        machine.call(given.positional[0], Arguments([inner]))
        return part or component
    if name in ("compile", "compile_repeated_blocks"):
        parameters = {key: constants.plain(value) for key, value in given.keywords.items()}
        if part is not None or name == "compile_repeated_blocks":
            parameters |= compilation.BLOCKS
        machine.heap.write(component, COMPILE, parameters)
        return Constant(None)
    if name == "enable_cache":
        config = given.get("config", 0)
        method = method_of(config)
        if method is not None:
            machine.heap.write(component, (method,), cache_settings(method, config))
        elif not isinstance(config, CacheConfig):
            _undecide(machine, component, config)
        return Constant(None)
    if name in ("set_attention_backend", "reset_attention_backend"):
        backend = constants.plain(given.get("backend", 0) or Constant(PLAIN_ATTENTION))
        if backend == PLAIN_ATTENTION:
            machine.heap.delete(component, ("attention",))
        else:
            machine.heap.write(component, ("attention",), {"backend": backend})
        return Constant(None)
    if name == "disable_cache":
        for method in CACHES:
            machine.heap.delete(component, (method,))
        return Constant(None)
    if name in ("to", "half", "float", "cuda", "cpu", "eval", "train", "requires_grad_", "bfloat16"):
        return component
    return Unknown()


def _undecide(machine: "Machine", component: Component, config: Value | None) -> None:
    """Note that some cache was enabled by a configuration of which the kind is unknown."""
    if isinstance(config, Unknown):
        for method in CACHES:
            machine.heap.write(component, (method,), UNDECIDED)


def is_handed(pipe: Pipeline) -> bool:
    """Tell whether a pipeline or one of its components was given to code elsewhere."""
    parts = [unwrapped(value) for name, value in pipe.state.items() if name in COMPONENTS]
    return any(HANDED in value.state for value in (pipe, *parts) if isinstance(value, Instance))


def active_methods(pipe: Pipeline) -> dict[str, dict[str, Any]] | None:
    """Return the methods active in a plain call of `pipe` with their parameters, None if they are unknown."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in pipe.state.items():
        if not isinstance(name, str) or name == "scheduler":
            continue
        if isinstance(value, Unknown):
            if name in COMPONENTS:
                return None
            continue
        if isinstance(value, Compiled) and name in COMPONENTS:
            found["torch_compile"] = {**found.get("torch_compile", {}), **value.parameters}
        component = unwrapped(value)
        if isinstance(component, Component) and name in COMPONENTS and not _add(found, component):
            return None
    return found


def _add(found: dict[str, dict[str, Any]], component: Component) -> bool:
    """Add the methods that live in a module; return whether all of them are known."""
    for key, held in component.state.items():
        content = held.item if isinstance(held, Repeated) else held
        if isinstance(content, Compiled):
            found["torch_compile"] = {**found.get("torch_compile", {}), **content.parameters}
        if content is UNDECIDED:
            return False
        if not isinstance(key, tuple) or key[0] not in METHOD_KEYS:
            continue
        if isinstance(content, Unknown):
            return False
        if isinstance(content, Helper):
            content = content.state.get(PARAMETERS)
        # The denoiser comes before the other modules.
        found.setdefault(key[0], dict(content) if isinstance(content, dict) else {})
    return True


def call_arguments(pipe: Pipeline, given: Arguments) -> dict[str, Any] | None:
    """Return DeepCache's parameters in a call of the pipelines inside its own package; None if unknown.

    Empty for every other pipeline and for a call that writes no `cache_interval`.
    """
    base = lineage.library_base(pipe.cls)
    if base is None or base.root != "DeepCache" or not modules.is_pipeline_class(base):
        return {}
    if "cache_interval" in given.keywords:
        return written(Arguments([], given.keywords), DEEPCACHE_CALL_PARAMETERS)
    return None if given.open_keywords else {}
