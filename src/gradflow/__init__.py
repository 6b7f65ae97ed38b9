"""What does an activation function do to a network, as the network gets deeper?"""

__version__ = "0.1.0"
