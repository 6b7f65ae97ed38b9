"""What does an activation function do to a network, as the network gets deeper?"""

__version__ = "0.1.0"

from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"  # the configuration groups
