"""`slurmhub status`: how the site is now, on one screen."""
