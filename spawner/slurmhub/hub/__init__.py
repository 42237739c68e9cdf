"""What slurmhub adds to the hub itself: configuration, pages and the status endpoint."""
