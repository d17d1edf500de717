"""Keep the libraries' progress bars and hints out of the log."""

import logging
import os
import warnings


def hush() -> None:
    """Turn off progress bars and information lines of diffusers, transformers, datasets and the hub.

    Must run before they are imported.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("torchvision").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    # The profiler's, which says that it keeps no events of runs before.
    warnings.filterwarnings("ignore", message="Warning: Profiler clears events")


def hush_loaded() -> None:
    """Turn off what only the imported libraries themselves can turn off."""
    import diffusers
    import transformers

    for logging_of in (diffusers.utils.logging, transformers.utils.logging):
        logging_of.set_verbosity_error()
        logging_of.disable_progress_bar()
