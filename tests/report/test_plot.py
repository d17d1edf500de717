import xml.etree.ElementTree as ElementTree

import pytest

from accsearch.report.plot import HEIGHT, WIDTH, Bar, Point, bars, pareto_front, scatter


def point(loss, speedup, *, hollow=False, label="x"):
    return Point(
        label, loss, speedup, (loss - 0.001, loss + 0.001), (speedup - 0.05, speedup + 0.05), 0, hollow
    )


def test_the_front_is_what_no_other_trial_beats_in_both():
    base, good, worse, best = point(0, 1), point(0.01, 2), point(0.02, 1.5), point(0.05, 3)

    assert pareto_front([worse, best, base, good]) == [base, good, best]


def test_a_trial_that_does_nothing_is_not_on_the_front():
    assert pareto_front([point(0, 1), point(0, 9, hollow=True)]) == [point(0, 1)]


@pytest.mark.parametrize(
    "points",
    [
        [point(0, 1), point(0.01, 2)],
        [point(0, 1), point(-0.3, 0.1), point(0.9, 30)],
        [Point("x", 0.0, 1.0, None, None, 11), Point("y", 0.5, 1.0, (-4.0, 5.0), None, 1)],
    ],
)
def test_points_lie_inside_the_picture(points):
    drawn = ElementTree.fromstring(scatter(points, [0.01], "title"))

    circles = list(drawn.iter("circle"))
    assert len(circles) == len(points)
    for circle in circles:
        assert 0 < float(circle.get("cx")) < WIDTH
        assert 0 < float(circle.get("cy")) < HEIGHT


def test_more_loss_is_further_right_and_more_speed_higher():
    drawn = ElementTree.fromstring(scatter([point(0.001, 1), point(0.1, 2)], [0.01], "t"))

    slow, fast = drawn.iter("circle")
    assert float(slow.get("cx")) < float(fast.get("cx"))
    assert float(slow.get("cy")) > float(fast.get("cy"))


def test_an_interval_that_leaves_the_picture_ends_in_an_arrow():
    inside = Point("a", 0.001, 2.0, (0.0, 0.002), None, 0)
    outside = Point("b", 0.01, 2.0, (-0.5, 0.5), None, 1)

    def arrows(*points):
        drawn = ElementTree.fromstring(scatter([point(0, 1), *points], [0.01], "t"))
        return [line for line in drawn.iter("polyline") if line.get("class") == "error"]

    assert arrows(inside) == []
    assert len(arrows(inside, outside)) == 2


def test_labels_are_escaped():
    assert "<b>" not in scatter([point(0, 1, label="<b>"), point(0.1, 2)], [], "<b>")


def test_bars_are_as_long_as_their_values():
    drawn = ElementTree.fromstring(bars([Bar("a", 1.5, (1.4, 1.6), ""), Bar("b", 2.0, None, "")], "t"))

    short, long = (float(bar.get("width")) for bar in drawn.iter("rect"))
    assert long == pytest.approx(2 * short, abs=0.3)
