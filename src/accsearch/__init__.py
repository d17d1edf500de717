"""Find how fast a diffusion pipeline can go before its images get worse.

`accelerate` puts a trial's methods on a pipeline of your own; `results` gives the trials of a run as a DataFrame.
"""

__version__ = "0.2.0"
__all__ = ["accelerate", "results"]

# Nothing is imported here: `python -m accsearch` passes by before it takes the start folder off the path.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from accsearch.acceleration import accelerate
    from accsearch.results_table import results


def __getattr__(name: str) -> object:
    """Load a public function when it is first asked for."""
    if name == "accelerate":
        from accsearch.acceleration import accelerate

        return accelerate
    if name == "results":
        from accsearch.results_table import results

        return results
    raise AttributeError(f"module 'accsearch' has no attribute {name!r}")
