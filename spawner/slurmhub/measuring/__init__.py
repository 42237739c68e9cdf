"""What is measured of this hub, and when; the metrics themselves are in `slurmhub.metrics`."""
