"""Finished runs tested on other data; nothing is written into their folders."""
