"""The kinds of calls that are predicted are those that the methods make."""

from accsearch.search.calls import denoiser_calls

TGATE = {"gate_step": 4, "sp_interval": 1, "fi_interval": 1, "warm_up": 2}


def test_the_baseline_makes_plain_calls() -> None:
    assert denoiser_calls({}, 3) == ("", "", "")


def test_deepcache_computes_every_interval() -> None:
    kinds = denoiser_calls({"deepcache": {"cache_interval": 3, "cache_branch_id": 1}}, 7)
    assert kinds == ("", *["deepcache:shallow1"] * 2, "", *["deepcache:shallow1"] * 2, "")


def test_tgate_halves_the_batch_from_its_gate_on() -> None:
    assert denoiser_calls({"tgate": TGATE}, 6) == ("",) * 4 + ("tgate:half",) * 2


def test_tgate_reuses_self_attention_between_its_intervals() -> None:
    kinds = denoiser_calls({"tgate": {**TGATE, "gate_step": 6, "sp_interval": 3}}, 6)
    assert kinds == ("", "", "", "", "tgate:reuse", "")


def test_deepcache_starts_anew_where_tgate_needs_every_layer() -> None:
    methods = {"deepcache": {"cache_interval": 5, "cache_branch_id": 0}, "tgate": TGATE}
    kinds = denoiser_calls(methods, 8)
    shallow = "deepcache:shallow0"
    assert kinds == ("", shallow, shallow, "", "tgate:half", *[f"{shallow} tgate:half"] * 3)


def test_a_method_that_changes_every_call_marks_every_call() -> None:
    assert denoiser_calls({"tome": {"ratio": 0.5, "max_downsample": 1}}, 2) == ("tome:0.5,1",) * 2
    assert denoiser_calls({"channels_last": {}}, 1) == ("channels_last",)


def test_fewer_steps_makes_fewer_plain_calls() -> None:
    assert denoiser_calls({"fewer_steps": {"ratio": 0.5}}, 10) == ("",) * 5


def test_a_sampler_of_second_order_calls_twice_a_step_and_methods_follow_their_own_count() -> None:
    # Heun of 3 steps makes 5 calls; T-GATE counts steps, DeepCache calls.
    assert denoiser_calls({}, 3, order=2, surplus=-1) == ("",) * 5
    assert denoiser_calls({"tgate": {**TGATE, "gate_step": 1}}, 3, 2, -1) == ("", "", *("tgate:half",) * 3)
    deepcache = {"deepcache": {"cache_interval": 2, "cache_branch_id": 0}}
    shallow = "deepcache:shallow0"
    assert denoiser_calls(deepcache, 3, 2, -1) == ("", shallow, "", shallow, "")


def test_a_repeated_first_call_delays_what_follows_by_one() -> None:
    assert denoiser_calls({"tgate": {**TGATE, "gate_step": 2}}, 4, 1, 1) == ("",) * 3 + ("tgate:half",) * 2
