"""What a panel's chart is made of."""


def marks_of(panel):
    return [layer.to_dict()["mark"]["type"] for layer in panel.layers]
