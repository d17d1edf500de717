"""What the catalogue promises of each method."""

import pytest

from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import ParameterInfo
from accsearch.task import Scalar


def test_defaults_and_searched_values_are_allowed() -> None:
    for name, method in METHODS.items():
        assert method.name == name
        assert method.doc
        assert method.paper
        for parameter in method.parameters.values():
            for value in (parameter.default, *parameter.searched):
                assert parameter.admit(value) == value


@pytest.mark.parametrize(
    ("parameter", "value", "admitted"),
    [
        (ParameterInfo(type=int, default=1, doc="", minimum=1), 1, 1),
        (ParameterInfo(type=int, default=1, doc="", minimum=1), 0, None),
        (ParameterInfo(type=int, default=1, doc="", minimum=1), True, None),
        (ParameterInfo(type=int, default=1, doc="", minimum=1), 1.0, None),
        (ParameterInfo(type=float, default=0.5, doc="", minimum=0, maximum=1), 1, 1.0),
        (ParameterInfo(type=float, default=0.5, doc="", minimum=0, maximum=1), 1.5, None),
        (ParameterInfo(type=float, default=0.5, doc="", minimum=0, maximum=1), "0.5", None),
        (ParameterInfo(type=bool, default=True, doc="", choices=(True,)), 1, None),
        (ParameterInfo(type=bool, default=True, doc="", choices=(True,)), False, None),
        (ParameterInfo(type=str, default="a", doc="", choices=("a",)), "b", None),
        (ParameterInfo(type=float, default="p50", doc="", quantiles=True), "p25", "p25"),
        (ParameterInfo(type=float, default="p50", doc="", quantiles=True), "p0", None),
        (ParameterInfo(type=float, default="p50", doc="", quantiles=True), "p100", None),
        (ParameterInfo(type=float, default=0.1, doc=""), "p25", None),
    ],
)
def test_a_parameter_admits_its_own_type_within_bounds(
    parameter: ParameterInfo, value: Scalar, admitted: Scalar | None
) -> None:
    found = parameter.admit(value)

    assert found == admitted
    assert type(found) is type(admitted)
