"""Hydra finds plugins in the namespace package `hydra_plugins` only."""
