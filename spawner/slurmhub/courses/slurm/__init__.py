"""What courses are in Slurm: what should be there, what is, and how the one becomes the other."""
