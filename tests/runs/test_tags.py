"""Tags are those of the contract."""

from gradflow.runs import tags


def test_tags_are_those_of_the_contract():
    assert tags.at_best("test/acc") == "test/acc_at_best"
    assert tags.running_bn("test/acc_at_best") == "test/acc_running_bn"
    assert tags.recomputed_bn("test/acc") == "test/acc_recomputed_bn"
    every = ("test/acc", "test/acc_at_best", "test/acc_running_bn", "test/acc_recomputed_bn")
    assert {tags.of_last_epoch(tag) for tag in every} == {"test/acc"}
    assert list(map(tags.is_other_bn, every)) == [False, False, True, True]
    assert tags.best("val/acc") == "val/acc_best"
    assert tags.of_layer(tags.GRAD_NORM, "01_block") == "grad_norm/01_block"
    assert tags.of_layer(tags.GRAD_RMS, "01_block") == "grad_rms/01_block"
    assert tags.of_layer(tags.DEAD_UNITS, "total") == "dead_units/total"


def test_values_by_layer_leave_out_that_of_all_layers():
    values = {"dead_units/01_block": 0.1, "dead_units/total": 0.2, "low_slope/01_block": 0.3}
    assert tags.by_layer(values, "dead_units") == {"01_block": 0.1}
