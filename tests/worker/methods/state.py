"""All that a method may touch of a pipeline, to be compared before and after."""

from typing import Any

import torch


class State:
    """Classes, instance attributes and hooks of every module, and clones of its weights with their layout."""

    def __init__(self, pipeline: Any) -> None:
        self.facts: dict[str, Any] = {"pipeline": (type(pipeline), sorted(vars(pipeline)))}
        self.weights: dict[str, torch.Tensor] = {}
        self.layouts: dict[str, Any] = {}
        for part, model in pipeline.components.items():
            if not isinstance(model, torch.nn.Module):
                continue
            for name, module in model.named_modules():
                hooks = [len(module._forward_pre_hooks), len(module._forward_hooks)]
                held = sorted(vars(module))
                self.facts[f"{part}.{name}"] = (type(module), held, vars(module).get("forward"), hooks)
            for name, tensor in (*model.named_parameters(), *model.named_buffers()):
                self.weights[f"{part}.{name}"] = tensor.detach().clone()
                self.layouts[f"{part}.{name}"] = (tensor.dtype, tensor.stride(), tensor.data_ptr())

    def check(self, pipeline: Any) -> None:
        """Fail unless `pipeline` is exactly what it was."""
        now = State(pipeline)
        assert list(now.facts.items()) == list(self.facts.items()), "the order of modules counts"
        self.check_weights(now)

    def check_weights(self, now: "State") -> None:
        """Fail unless the weights of `now` are these, bit for bit, in the same place."""
        assert now.layouts == self.layouts
        assert [name for name, held in self.weights.items() if not torch.equal(now.weights[name], held)] == []
