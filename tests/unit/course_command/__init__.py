"""`slurmhub course`, without a service."""
