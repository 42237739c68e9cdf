"""What tests stand on: a real Slurm, a real hub, real accounts, all made by the test itself."""
