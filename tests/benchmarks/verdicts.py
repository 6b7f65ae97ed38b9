"""How often verdicts, intervals and medians are wrong, in studies simulated by the thousand.

    make bench          # or: python tests/benchmarks/verdicts.py, a minute

The tables of docs/statistics.md: the same code and the same seed give the same numbers.
"""

import sys
from pathlib import Path

import tables

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import simulated_verdicts as simulated


def main() -> None:
    nulls = [(null, n) for null in simulated.NULLS for n in simulated.SEEDS]
    effects = [(effect, n) for effect in simulated.EFFECTS for n in simulated.SEEDS]
    parts = [
        tables.markdown(simulated.FALSE_HEADER, [simulated.false_row(null, n) for null, n in nulls]),
        tables.markdown(simulated.ESTIMATES_HEADER, [simulated.estimates_row(null, n) for null, n in nulls]),
        tables.markdown(simulated.POWER_HEADER, [simulated.power_row(effect, n) for effect, n in effects]),
        tables.markdown(simulated.LOOKING_HEADER, [simulated.looking_row(last) for last in simulated.LAST_LOOKS]),
    ]
    tables.publish("verdicts", "\n\n".join(parts))


if __name__ == "__main__":
    main()
