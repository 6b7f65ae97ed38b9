"""How metrics are spelled for people."""

from gradflow.runs.labels import label

HEADLINE = "test/acc_at_best"


def test_selected_on_test_is_said_of_scores_at_the_best_epoch():
    chosen = [{"selected_on": "test"}]
    assert label(HEADLINE, chosen).with_unit == "test accuracy at the best epoch, selected on test (%)"
    anew = "test accuracy, precise batch norm (%)"
    assert label("test/acc_precise_bn", chosen).with_unit == anew
    assert label("test/acc", chosen).with_unit == "test accuracy (%)"
    assert label(HEADLINE, [{"selected_on": "validation"}]).with_unit == "test accuracy at the best epoch (%)"
