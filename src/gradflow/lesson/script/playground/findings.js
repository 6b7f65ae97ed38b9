/**
 * What a run of the playground has shown, by stated limits, and the numbers that other parts of the page quote.
 */
lesson.findings = (() => {
  "use strict";
  const GUESSING = Math.LN2; // the loss, in nats, of a network that says 50 : 50 everywhere
  const MARGIN = 0.05; // around it, within which nothing has been learned
  const LEARNED = 0.2; // nats: a network that has learned gives the right class 82 % on a geometric average
  const FADED = 2e-3; // of the head's gradient norm
  const ARRIVED = 0.01;
  const MANY = 0.4; // of all hidden units
  const FEW = 0.2;
  const STRAIGHT = 1e-3; // share of the logits' variance that no plane explains
  const BENT = 0.1;
  const FLAT = 1e-12; // variance of logits that are equal but for their rounding in float32
  const SURE = 1e-4; // probabilities closer to 0 or 1 carry rounded logits

  const { numbers } = lesson;

  /** Of all hidden units. */
  const deadShare = ({ dead }) => dead.reduce((sum, share) => sum + share, 0) / dead.length;
  const deadUnits = (network) => Math.round(deadShare(network) * network.units.length * network.units[0].length);
  /** How much of the head's gradient reaches the first layer; 0 where there is none at all. */
  function message({ gradientNorms }) {
    const head = gradientNorms[gradientNorms.length - 1];
    return head > 0 ? gradientNorms[0] / head : 0;
  }

  /**
   * How far from straight the border is: the share of the variance of the logits over the plane that the best plane
   * through them leaves unexplained; 0 where the logit is a linear function of the point.
   */
  function bend({ region }) {
    const cells = Math.round(Math.sqrt(region.length));
    const rows = [];
    region.forEach((p, k) => {
      if (p > SURE && p < 1 - SURE) rows.push([k % cells, Math.floor(k / cells), Math.log(p / (1 - p))]);
    });
    const mean = (of) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    const [mx, my, mz] = [0, 1, 2].map((i) => mean((row) => row[i]));
    const product = (i, j, mi, mj) => mean((row) => (row[i] - mi) * (row[j] - mj));
    const [xx, xy, yy] = [product(0, 0, mx, mx), product(0, 1, mx, my), product(1, 1, my, my)];
    const [xz, yz, zz] = [product(0, 2, mx, mz), product(1, 2, my, mz), product(2, 2, mz, mz)];
    const determinant = xx * yy - xy * xy;
    if (!(determinant > 0) || !(zz > FLAT)) return 0; // the same everywhere: no border that could be bent
    const [a, b] = [(xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant];
    return Math.max(0, 1 - (a * xz + b * yz) / zz);
  }

  const RULES = {
    loss: {
      measure: (first, last) => last.loss,
      stays: (loss) => Math.abs(loss - GUESSING) <= MARGIN,
      falls: (loss) => loss < LEARNED,
      say: (loss, word) => `loss ${numbers.fixed(loss, 3)}, ${word}`,
      words: { stays: "no better than guessing (0.693)", falls: "it has learned", neither: "still on its way" },
    },
    message: {
      measure: (first) => message(first),
      fades: (share) => share < FADED,
      arrives: (share) => share > ARRIVED,
      say: (share, word) => `message ${word}: at the start, layer 1 heard ${lesson.words.heard(share)}`,
      words: { fades: "faded", arrives: "arrived", neither: "weakened" },
    },
    dead: {
      measure: (first, last) => deadShare(last),
      many: (share) => share >= MANY,
      few: (share) => share <= FEW,
      none: (share) => share === 0,
      say: (share, word) => `${word} dead units${share > 0 ? `: ${numbers.percent(share)}` : ""}`,
      words: { many: "many", few: "few", none: "no", neither: "some" },
    },
    border: {
      measure: (first, last) => bend(last),
      straight: (share) => share <= STRAIGHT,
      bent: (share) => share >= BENT,
      say: (share, word) => `border ${word}`,
      words: { straight: "straight", bent: "bent", neither: "almost straight" },
    },
  };

  /**
   * Compares what was measured with what a preset teaches.
   *
   * @param {object} check - of the preset: network's letter -> quantity -> what should be found.
   * @param {object} first - look before the first step.
   * @param {object} last - look after the last.
   * @returns {{letter: string, quantity: string, value: number, found: string, holds: boolean, text: string}[]}
   */
  function judge(check, first, last) {
    return Object.entries(check).flatMap(([letter, expected]) => {
      const index = lesson.menu.LETTERS.indexOf(letter.toUpperCase());
      return Object.entries(expected).map(([quantity, wanted]) => {
        const { measure, say, words, ...kinds } = RULES[quantity];
        const value = measure(first.networks[index], last.networks[index]);
        const holds = kinds[wanted](value);
        const found = holds ? wanted : (Object.keys(kinds).find((kind) => kinds[kind](value)) ?? "neither");
        return { letter, quantity, value, found, holds, text: say(value, words[found]) };
      });
    });
  }

  /** Quantities of one network that other parts of the page may quote, as text. */
  const QUANTITIES = {
    loss: ({ loss }) => numbers.fixed(loss, 3),
    accuracy: ({ testAccuracy }) => numbers.percent(testAccuracy),
    dead: (network) => numbers.percent(deadShare(network)),
    deadUnits: (network) => String(deadUnits(network)),
    units: ({ units }) => String(units.length * units[0].length),
    message: (network) => lesson.words.share(message(network)),
    analogy: (network) => lesson.words.analogy(message(network)),
    firstGradient: ({ gradientNorms }) => numbers.short(gradientNorms[0]),
    headGradient: ({ gradientNorms }) => numbers.short(gradientNorms[gradientNorms.length - 1]),
  };

  /**
   * @param {string} path - `a.loss` for network A after playing, `first.a.message` before the first step, `step`.
   * @param {{first: object, last: object}} played
   * @returns {string}
   * @throws {Error} if there is no such quantity.
   */
  function quote(path, { first, last }) {
    if (path === "step") return String(last.step);
    const parts = path.split(".");
    const look = parts[0] === "first" ? (parts.shift(), first) : last;
    const network = look.networks[lesson.menu.LETTERS.indexOf(parts[0].toUpperCase())];
    const say = QUANTITIES[parts[1]];
    if (!network || !say) throw new Error(`no quantity is called "${path}"`);
    return say(network);
  }

  return { GUESSING, bend, deadShare, deadUnits, judge, message, quote };
})();
