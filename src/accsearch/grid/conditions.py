"""The conditions under which `worker.stability` measures trials once more, by name."""

from accsearch.config.schema import Config

REWORDED = ("short", "doubled")
"""Conditions that change the wording of the prompts."""
BATCH_SIZES = (1, 4, 8)
"""Those that change the batch size: `batch1` and so on."""


def condition_batches(config: Config, num_samples: int, batch_size: int) -> dict[str, int]:
    """Return condition → batch size, for a task measured at `batch_size`: none unless `worker.stability` is on."""
    if not config.worker.stability:
        return {}
    sizes = (size for size in BATCH_SIZES if size <= num_samples)
    return dict.fromkeys(REWORDED, batch_size) | {f"batch{size}": size for size in sizes}
