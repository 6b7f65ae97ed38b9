"""What a panel's chart is made of."""


def marks_of(panel):
    return [layer["mark"]["type"] for layer in panel.chart.to_dict()["layer"]]
