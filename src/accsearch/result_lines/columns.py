"""The columns of an exported table: their types, units and meanings."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "flag", "numbers", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `unit` is empty where there is none."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""


COLUMNS = (
    Column("config", "text", "name of the configuration"),
    Column("task", "text", "id of the task, the cell of the grid"),
    Column("pipe", "text", "name of the model"),
    Column("sched", "text", "scheduler class of diffusers"),
    Column("steps", "integer", "sampler steps of the task"),
    Column("trial", "text", "stable id of the configuration measured; `baseline` is without methods"),
    Column("method_names", "text", "the methods, joined by +, or none"),
    Column("methods", "json", "each method with its parameters"),
    Column("status", "text", "ok, failed or pruned"),
    Column("error", "text", "why the trial failed"),
    Column("note", "text", "what else to know of the measurement"),
    Column("condition", "text", "set for a stability measurement, which is never an upper bound"),
    Column("in_plan", "flag", "false for a task that the latest plan of its configuration does not have"),
    Column("other_setting", "text", "how the line's setting differs from the plan's; only with --all"),
    Column("active", "flag", "false if an approximate method left every image as the baseline's"),
    Column("calls_left", "number", "share of the calls of the denoiser's blocks that ran", "1"),
    Column(
        "timing", "text", "batches: as the images were made; pairs: in turn with the baseline, more precise"
    ),
    Column("speedup", "number", "baseline time / trial time", "1"),
    Column("speedup_ci95_low", "number", "lower end of the 95 % interval of speedup", "1"),
    Column("speedup_ci95_high", "number", "upper end of the 95 % interval of speedup", "1"),
    Column("score_loss", "number", "(baseline - trial) / baseline of the mean score", "1"),
    Column("score_loss_ci95_low", "number", "lower end of the 95 % interval of score_loss", "1"),
    Column("score_loss_ci95_high", "number", "upper end of the 95 % interval of score_loss", "1"),
    Column("efficiency", "number", "speedup / (1 + score_loss)", "1"),
    Column("seconds_per_image", "number", "median over the repeats", "s"),
    Column("seconds_per_image_std", "number", "standard deviation over the repeats", "s"),
    Column("repeats", "integer", "how often the trial was timed"),
    Column("times", "numbers", "seconds per image of each repeat", "s"),
    Column("outliers", "json", "indices into times of those that stand out; all are kept"),
    Column("images_per_second", "number", "1 / seconds_per_image", "1/s"),
    Column("clip_score", "number", "mean over the prompts", "100 cosine"),
    Column("clip_score_std", "number", "standard deviation over the prompts", "100 cosine"),
    Column("scores", "numbers", "score of each prompt", "100 cosine"),
    Column(
        "confirmed", "json", "the winner's figures on fresh prompts and seeds, with their scores and times"
    ),
    Column("prompts_needed", "integer", "about how many prompts would settle the strictest loss asked for"),
    Column("psnr", "number", "against the baseline's images; none where they are identical", "dB"),
    Column("ssim", "number", "structural similarity to the baseline's images", "1"),
    Column("ms_ssim", "number", "multi-scale structural similarity to the baseline's images", "1"),
    Column("lpips", "number", "perceptual distance to the baseline's images", "1"),
    Column("fid", "number", "Fréchet distance to the baseline's images", "1"),
    Column("peak_memory_bytes", "integer", "most device memory held at once; none on a CPU", "byte"),
    Column("set_up_seconds", "number", "what switching the methods on took, not in the times", "s"),
    Column("set_up_memory_bytes", "integer", "device memory that switching the methods on took", "byte"),
    Column("startup_seconds", "number", "from the worker's launch to its first image, of the attempt", "s"),
    Column("timed_seconds", "number", "timed generation of the attempt up to this line, all trials", "s"),
    Column("gpu_busy", "number", "share of the wall time with a kernel running", "1"),
    Column("host_bound", "flag", "whether the host kept the GPU waiting"),
    Column("power_watts", "number", "mean by NVML while the trial ran", "W"),
    Column("gpu_utilization", "number", "mean by NVML while the trial ran", "%"),
    Column("sm_clock_mhz", "number", "mean clock by NVML while the trial was timed", "MHz"),
    Column("throttle_reasons", "json", "why the GPU's clock was held down while the trial was timed"),
    Column(
        "cores_used_by_others", "number", "cores that other processes kept busy while the trial was timed"
    ),
    Column(
        "baseline_drift", "number", "baseline's time when the trial was timed / at the attempt's start", "1"
    ),
    Column("num_samples", "integer", "prompts, one image each"),
    Column("batch_size", "integer", "images at once"),
    Column("seed", "integer", "seed of the first image's latents"),
    Column("attempt", "integer", "attempt of the task that measured the trial"),
    Column("baseline_attempt", "integer", "attempt whose baseline the trial is compared with"),
    Column("gpu", "text", "UUID of the GPU, none on a CPU"),
    Column("gpu_name", "text", "model of the GPU"),
    Column("dtype", "text", "data type of the pipeline"),
    Column("key", "text", "what must be equal for the trial to be reused, as a hash"),
    Column("images_sha256", "text", "hash of every pixel"),
    Column("search", "json", "of the baseline: what the upper-bound search proved under each limit"),
    Column("versions", "json", "package versions"),
    Column("environment", "json", "what else a repetition needs: model, prompts, driver, host, git state"),
)


def schema() -> dict[str, dict[str, str | None]]:
    """Return column → type, unit and description, for a file that has no place for them."""
    return {
        each.name: {"type": each.kind, "unit": each.unit or None, "description": each.doc} for each in COLUMNS
    }
