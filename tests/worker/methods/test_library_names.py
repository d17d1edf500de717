"""What the table of the methods says of diffusers' caches is what the installed diffusers has."""

from dataclasses import MISSING, fields

import pytest
from diffusers import hooks

from accsearch.methods.catalogue import METHODS

CACHES = [
    info.name
    for info in METHODS.values()
    if info.library and info.library.config and info.library.package == "diffusers"
]


@pytest.mark.parametrize("name", CACHES)
def test_the_fields_and_defaults_of_a_cache_are_those_of_its_configuration(name: str) -> None:
    use = METHODS[name].library
    assert use is not None
    found = {each.name: each.default for each in fields(getattr(hooks, use.config))}

    assert callable(getattr(hooks, use.function))
    assert tuple(found)[: len(use.fields)] == use.fields
    assert {key: found[key] for key in use.defaults} == use.defaults
    plain = {
        key for key, value in found.items() if isinstance(value, bool | int | float | str) and key[0] != "_"
    }
    assert plain <= use.defaults.keys()
    assert MISSING not in use.defaults.values()
    own = METHODS[name].parameters.keys() - {"start", "end"}
    assert {use.names.get(key, key) for key in own} <= found.keys()
