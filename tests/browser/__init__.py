"""What a person sees and does, in a real Chromium, on a real hub and a real Slurm."""
