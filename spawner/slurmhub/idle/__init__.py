"""Servers that nobody uses, and GPUs that do nothing: warned, then ended."""
