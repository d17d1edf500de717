import json
import math

import pytest

from accsearch.result_lines.line import ResultLine


def line(**changes):
    given = {
        "task": "demo_DDIM_10",
        "trial": "baseline",
        "key": "k",
        "attempt": 1,
        "methods": {},
        "status": "ok",
    }
    return ResultLine(**(given | changes))


def test_round_trip_keeps_every_field():
    given = line(
        trial="deepcache-i3-b0",
        methods={"deepcache": {"cache_interval": 3, "cache_branch_id": 0}},
        times=(0.1, 0.2),
        speedup=1.5,
        speedup_ci95=(1.4, 1.6),
        scores=(30.0, 31.5),
        active=True,
        outliers=(1,),
        versions={"torch": "2.13.0"},
    )

    assert ResultLine.from_json(json.loads(json.dumps(given.to_json()))) == given


def test_undefined_numbers_become_null():
    document = line(
        psnr=math.inf, clip_score=math.nan, scores=(1.0, math.nan), speedup_ci95=(0.5, math.inf)
    ).to_json()

    assert (document["psnr"], document["clip_score"]) == (None, None)
    assert document["scores"] == [1.0, None]
    assert document["speedup_ci95"] == [0.5, None]
    json.dumps(document, allow_nan=False)


def test_unknown_fields_of_a_newer_version_are_dropped():
    assert ResultLine.from_json(line().to_json() | {"invented_later": 1}) == line()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "great"}, "unknown status"),
        ({"trial": 3}, "'trial'"),
        ({"methods": []}, "'methods'"),
        ({"attempt": "1"}, "'attempt'"),
    ],
)
def test_wrong_lines_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ResultLine.from_json(line().to_json() | change)


def test_a_missing_field_is_named():
    document = line().to_json()
    del document["key"]

    with pytest.raises(ValueError, match="'key'"):
        ResultLine.from_json(document)


def test_every_field_of_the_interface_is_written():
    times = {"seconds_per_image", "seconds_per_image_std", "repeats", "times", "speedup", "speedup_ci95"}
    scores = {"clip_score", "clip_score_std", "scores", "score_loss", "score_loss_ci95", "psnr", "ssim"}
    other = {"images_per_second", "efficiency", "peak_memory_bytes", "gpu_busy", "power_watts", "active"}
    facts = {"task", "trial", "key", "attempt", "methods", "num_samples", "batch_size", "seed", "gpu"}

    promised = times | scores | other | facts | {"status", "error", "gpu_utilization"}

    assert promised <= line().to_json().keys()
