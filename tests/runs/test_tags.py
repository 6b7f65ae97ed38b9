"""Tags are those of the contract."""

from gradflow.runs import tags


def test_tags_are_those_of_the_contract():
    assert tags.at_best("test/acc") == "test/acc_at_best"
    assert tags.precise_bn("test/acc") == "test/acc_precise_bn"
    assert {tags.of_last_epoch(tag) for tag in ("test/acc", "test/acc_at_best", "test/acc_precise_bn")} == {"test/acc"}
    assert tags.best("val/acc") == "val/acc_best"
    assert tags.of_layer(tags.GRAD_NORM, "01_block") == "grad_norm/01_block"
    assert tags.of_layer(tags.GRAD_RMS, "01_block") == "grad_rms/01_block"
    assert tags.of_layer(tags.DEAD_UNITS, "total") == "dead_units/total"


def test_values_by_layer_leave_out_that_of_all_layers():
    values = {"dead_units/01_block": 0.1, "dead_units/total": 0.2, "low_slope/01_block": 0.3}
    assert tags.by_layer(values, "dead_units") == {"01_block": 0.1}
