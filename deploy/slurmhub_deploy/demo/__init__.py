"""`script/demo`: a Slurm cluster and a hub on this machine, without a trace afterwards."""
