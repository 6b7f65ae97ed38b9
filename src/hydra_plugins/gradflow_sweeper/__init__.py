"""Hydra finds plugins only in the namespace package `hydra_plugins`."""
