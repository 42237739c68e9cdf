"""`slurmhub course`: what instructors do on a hub's pages, from a terminal or a program."""
