"""What takes activation's place in a study without activations."""

from gradflow.study.treatments import compared, heading, with_treatments


def records(*axes):
    return [{"axes": one, "activation": one.get("activation")} for one in axes]


def axes(found):
    return [record["axes"] for record in found]


def test_activations_stay_as_they_are():
    found = records({"activation": "relu", "blocks": 1}, {"activation": "tanh", "blocks": 1})
    assert with_treatments(found) == found
    assert heading(["relu", "leaky_relu(negative_slope=0.2)"]) == "activation"


def test_the_first_axis_that_varies_is_compared_by_increasing_value():
    found = with_treatments(
        records(
            {"module": "Lit", "module.hidden": 16, "module.lr": 0.1},
            {"module": "Lit", "module.hidden": 8, "module.lr": 0.1},
            {"module": "Lit", "module.hidden": 8, "module.lr": 0.2},
        )
    )
    assert axes(found) == [
        {"activation": "module.hidden=8", "module": "Lit", "module.lr": 0.1},
        {"activation": "module.hidden=8", "module": "Lit", "module.lr": 0.2},
        {"activation": "module.hidden=16", "module": "Lit", "module.lr": 0.1},
    ]
    assert heading(one["activation"] for one in axes(found)) == ""
    assert compared(one["activation"] for one in axes(found)) == "module.hidden"


def test_a_default_that_is_left_out_has_a_name():
    assert axes(with_treatments(records({"module": "Lit"}, {"module": "Lit", "module.lr": 0.2}))) == [
        {"activation": "module.lr=default", "module": "Lit"},
        {"activation": "module.lr=0.2", "module": "Lit"},
    ]


def test_a_single_configuration_is_that_of_its_module_whatever_its_depths():
    lit = {"data": "custom", "module": "Lit"}
    found = with_treatments(records({"blocks": 1, **lit}, {"blocks": 2, **lit}))
    assert axes(found) == [
        {"activation": "module=Lit", "blocks": 1, "data": "custom"},
        {"activation": "module=Lit", "blocks": 2, "data": "custom"},
    ]


def test_runs_without_an_activation_among_others():
    found = with_treatments(records({"activation": "relu"}, {"module": "Lit"}))
    assert axes(found) == [{"activation": "relu"}, {"activation": "none", "module": "Lit"}]
