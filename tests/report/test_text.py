import pytest

from accsearch.report import text


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (text.speedup(1.5, (1.4, 1.6)), "1.50x [1.40, 1.60]"),
        (text.speedup(None), "–"),
        (text.percent(0.0031, (0.0012, 0.005)), "0.31 % [0.12, 0.50]"),
        (text.percent(-0.0), "0.00 %"),
        (text.number(None), "–"),
        (text.number(31.456, 1), "31.5"),
        (text.size(None), "–"),
        (text.size(512), "512 B"),
        (text.size(3 << 30), "3.0 GiB"),
        (text.size(900 << 20), "900.0 MiB"),
        (text.duration(4.25), "4.2s"),
        (text.duration(59.6), "59.6s"),
        (text.duration(59.96), "1m00s"),
        (text.duration(7800), "2h10m"),
        (text.methods({}), "none"),
        (text.methods({"tome": {"ratio": 0.5, "max_downsample": 1}}), "tome ratio 0.5, downsample 1"),
        (text.methods({"half": {}, "compile": {}}), "half + compile"),
    ],
)
def test_numbers_read_well(shown, expected):
    assert shown == expected
