"""`slurmhub doctor`: from a student's sign-in to a kernel's answer, what is wrong and what to do.

A probe that only reads is run on all hosts at once (`probe`, `gathering`); what it saw is plain
facts (`facts`); pure checks turn facts into findings (`checks`); the command shows them.
"""
