"""What is submitted to Slurm for one server: the tag, the batch script, the launcher in it."""
