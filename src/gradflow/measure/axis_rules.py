"""On which axis operations put the units: layers, products, and one table of all that need a rule."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradflow.measure.axis_calls import Axis, Call, Lost, Place, Rule, combined
from gradflow.measure.axis_moves import (
    cut_or_padded,
    expanded,
    indexed,
    joined,
    last_two_swapped,
    moved,
    moving,
    permuted,
    reduced,
    reshaped,
    reversed_order,
    selected,
    stacked,
    swapped,
)


def _last(call: Call, output: Tensor) -> Axis:
    return output.dim() - 1 if output.dim() else None


def _channels(call: Call, output: Tensor) -> Axis:
    return 1 if output.dim() > 1 else 0


def _before_positions(positions: int) -> Rule:
    """Channels of a convolution, which may lack the axis of samples."""
    return lambda call, output: output.dim() - 1 - positions


def _layer_norm(call: Call, output: Tensor) -> Axis:
    normalized = call.argument(1, "normalized_shape")
    several = isinstance(normalized, Sequence) and len(normalized) > 1  # of channels and positions together
    return combined(call, output) if several else output.dim() - 1


def _attention(call: Call, output: Tensor) -> Axis:
    """Weighted means of the values, whose units are the last axis."""
    value = call.places[2] if len(call.places) > 2 else None
    if isinstance(value, Lost):
        return value
    return output.dim() - 1 if value is None or value.from_end == -1 else Lost(f"`{call.name}` mixes units")


def _matmul(call: Call, output: Tensor) -> Axis:
    """A product with weights makes new units; another one keeps those that are not summed over."""
    (left, right), (a, b) = call.tensors[-2:], call.places[-2:]
    if isinstance(b, Place) and b.from_end == -1 and not isinstance(left, nn.Parameter):
        return output.dim() - 1
    if b is None and (isinstance(right, nn.Parameter) or (right.dim() == 2 and a is not None)):
        return output.dim() - 1  # x W
    if a is None and b is None and isinstance(left, nn.Parameter):
        return max(0, output.dim() - 2)  # W x
    if isinstance(a, Place) and a.from_end == -1:
        return None  # summed over: attention's scores
    if isinstance(a, Place) and b is None:
        return output.dim() + a.from_end
    lost = next((place for place in (a, b) if place is not None), None)
    return lost if lost is None or isinstance(lost, Lost) else Lost(f"`{call.name}` mixes units")


def _einsum(call: Call, output: Tensor) -> Axis:
    equation = call.args[0]
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return Lost("`einsum` is not followed in this notation")
    inputs, _, result = equation.replace(" ", "").partition("->")
    letters = inputs.split(",")
    made = {
        letter
        for word, tensor in zip(letters, call.tensors, strict=True)
        if isinstance(tensor, nn.Parameter)
        for letter in word
        if letter in result and inputs.count(letter) == 1
    }
    kept = {
        word[place.axis]
        for word, place in zip(letters, call.places, strict=True)
        if isinstance(place, Place) and word[place.axis] in result
    }
    units = made or kept
    return result.index(units.pop()) if len(units) == 1 else Lost("`einsum` mixes units") if units else None


def _unfollowed(call: Call, output: Tensor) -> Axis:
    known = [place for place in call.places if place is not None]
    return Lost(f"`{call.name}` is not followed") if known else None


def _of(rule: Rule, *names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


RULES: dict[str, Rule] = {
    **_of(_last, "linear", "bilinear", "embedding", "embedding_bag", "rms_norm", "multi_head_attention_forward"),
    **_of(_last, "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
    **_of(_layer_norm, "layer_norm"),
    **_of(_channels, "batch_norm", "group_norm", "instance_norm"),
    **_of(_before_positions(1), "conv1d", "conv_transpose1d"),
    **_of(_before_positions(2), "conv2d", "conv_transpose2d"),
    **_of(_before_positions(3), "conv3d", "conv_transpose3d"),
    **_of(_attention, "scaled_dot_product_attention"),
    **_of(_matmul, "matmul", "__matmul__", "mm", "bmm", "addmm", "baddbmm", "addbmm"),
    **_of(_einsum, "einsum"),
    **_of(moving(permuted), "permute"),
    **_of(moving(swapped), "transpose", "swapaxes", "swapdims"),
    **_of(moving(moved), "movedim", "moveaxis"),
    **_of(moving(last_two_swapped), "mT", "mH", "adjoint"),
    **_of(moving(reversed_order), "t", "T"),
    **_of(reshaped, "reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel"),
    **_of(reshaped, "view_as", "reshape_as"),
    **_of(expanded, "expand", "expand_as", "broadcast_to", "repeat", "tile"),
    **_of(joined, "cat", "concat", "concatenate"),
    **_of(stacked, "stack"),
    **_of(reduced, "mean", "sum", "amax", "amin", "max", "min", "prod", "std", "var", "norm", "logsumexp", "median"),
    **_of(reduced, "linalg_vector_norm", "linalg_norm"),
    **_of(selected, "select", "unbind"),
    **_of(cut_or_padded, "narrow", "chunk", "split", "split_with_sizes", "tensor_split", "glu", "pad"),
    **_of(indexed, "__getitem__"),
    **_of(_unfollowed, "cdist", "tensordot", "kron", "outer", "dot", "inner", "multi_dot", "chain_matmul"),
}
