"""Everything that is said to Slurm and heard from it: typed commands and typed answers.

No other module parses Slurm's text or builds the argument list of one of its commands.
"""
