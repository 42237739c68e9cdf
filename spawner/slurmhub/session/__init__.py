"""A server while it runs: what it uses, how long it lasts, more time for it, and its log."""
