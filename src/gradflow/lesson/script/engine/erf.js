/**
 * The error function in double precision.
 *
 * Source: W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation 23 (1969),
 * 631-637; the coefficients are those of his program CALERF.
 */
lesson.erf = (() => {
  "use strict";
  const NEAR = 0.46875; // up to here erf itself is approximated, beyond it erfc
  const FAR = 4;
  const NOTHING = 26.6; // erfc is under the smallest normal number from here on
  const ONE_OVER_ROOT_PI = 0.56418958354775628695;

  const NEAR_ABOVE = [
    3.16112374387056560, 113.864154151050156, 377.485237685302021, 3209.37758913846947, 0.185777706184603153,
  ];
  const NEAR_BELOW = [23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062];
  const MIDDLE_ABOVE = [
    0.564188496988670089, 8.88314979438837594, 66.1191906371416295, 298.635138197400131, 881.95222124176909,
    1712.04761263407058, 2051.07837782607147, 1230.33935479799725, 2.15311535474403846e-8,
  ];
  const MIDDLE_BELOW = [
    15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019, 3290.79923573345963,
    4362.61909014324716, 3439.36767414372164, 1230.33935480374942,
  ];
  const FAR_ABOVE = [
    0.305326634961232344, 0.360344899949804439, 0.125781726111229246, 0.0160837851487422766, 6.58749161529837803e-4,
    0.0163153871373020978,
  ];
  const FAR_BELOW = [
    2.56852019228982242, 1.87295284992346047, 0.527905102951428412, 0.0605183413124413191, 0.00233520497626869185,
  ];

  /** A ratio of polynomials in Cody's order: the leading coefficient of the numerator comes last. */
  const ratio = (above, below, t) => {
    const last = below.length - 1;
    let numerator = above[last + 1] * t;
    let denominator = t;
    for (let i = 0; i < last; i++) {
      numerator = (numerator + above[i]) * t;
      denominator = (denominator + below[i]) * t;
    }
    return (numerator + above[last]) / (denominator + below[last]);
  };

  /** exp(-y²) for y >= 0: y is cut to a sixteenth first, since the rounding of y² would be magnified by exp. */
  const gaussian = (y) => {
    const rough = Math.trunc(y * 16) / 16;
    return Math.exp(-rough * rough) * Math.exp(-(y - rough) * (y + rough));
  };

  /** erfc(y) for y > NEAR. */
  const tail = (y) => {
    if (y >= NOTHING) return 0;
    if (y <= FAR) return gaussian(y) * ratio(MIDDLE_ABOVE, MIDDLE_BELOW, y);
    const t = 1 / (y * y);
    return (gaussian(y) * (ONE_OVER_ROOT_PI - t * ratio(FAR_ABOVE, FAR_BELOW, t))) / y;
  };

  /** erf(x), odd, from -1 to 1. */
  const erf = (x) => {
    const y = Math.abs(x);
    if (y <= NEAR) return x * ratio(NEAR_ABOVE, NEAR_BELOW, y * y);
    return x > 0 ? 1 - tail(y) : tail(y) - 1;
  };

  /** erfc(x) = 1 - erf(x), with its relative precision kept where it is small. */
  const erfc = (x) => {
    const y = Math.abs(x);
    if (y <= NEAR) return 1 - x * ratio(NEAR_ABOVE, NEAR_BELOW, y * y);
    return x > 0 ? tail(y) : 2 - tail(y);
  };

  return { erf, erfc };
})();
