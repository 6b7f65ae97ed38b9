/**
 * Values and slopes of many z at once: lesson.loops[name] = { values(z, to, count, p, draws), slopes(...) } fill `to`.
 *
 * Every function has loops of its own. A loop that all functions shared would call whichever it is given, through a
 * call that a browser cannot inline and that allocates each number: half the speed.
 */
lesson.loops = (() => {
  "use strict";
  const { identity, relu, leaky_relu, prelu, elu, celu, selu, gelu, silu, mish } = lesson.formulas;
  const { softplus, sigmoid, tanh, softsign, hardtanh, relu6, hard_swish, rrelu } = lesson.formulas;

  return {
    identity: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = identity.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = identity.slope(z[i]);
      },
    },
    relu: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = relu.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = relu.slope(z[i]);
      },
    },
    leaky_relu: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = leaky_relu.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = leaky_relu.slope(z[i], p);
      },
    },
    prelu: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = prelu.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = prelu.slope(z[i], p);
      },
    },
    elu: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = elu.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = elu.slope(z[i], p);
      },
    },
    celu: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = celu.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = celu.slope(z[i], p);
      },
    },
    selu: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = selu.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = selu.slope(z[i]);
      },
    },
    gelu: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = gelu.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = gelu.slope(z[i]);
      },
    },
    silu: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = silu.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = silu.slope(z[i]);
      },
    },
    mish: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = mish.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = mish.slope(z[i]);
      },
    },
    softplus: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = softplus.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = softplus.slope(z[i], p);
      },
    },
    sigmoid: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = sigmoid.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = sigmoid.slope(z[i]);
      },
    },
    tanh: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = tanh.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = tanh.slope(z[i]);
      },
    },
    softsign: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = softsign.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = softsign.slope(z[i]);
      },
    },
    hardtanh: {
      values(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = hardtanh.value(z[i], p);
      },
      slopes(z, to, count, p) {
        for (let i = 0; i < count; i++) to[i] = hardtanh.slope(z[i], p);
      },
    },
    relu6: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = relu6.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = relu6.slope(z[i]);
      },
    },
    hard_swish: {
      values(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = hard_swish.value(z[i]);
      },
      slopes(z, to, count) {
        for (let i = 0; i < count; i++) to[i] = hard_swish.slope(z[i]);
      },
    },
    rrelu: {
      values(z, to, count, p, draws) {
        for (let i = 0; i < count; i++) to[i] = rrelu.value(z[i], p, draws ? draws[i] : undefined);
      },
      slopes(z, to, count, p, draws) {
        for (let i = 0; i < count; i++) to[i] = rrelu.slope(z[i], p, draws ? draws[i] : undefined);
      },
    },
  };
})();
