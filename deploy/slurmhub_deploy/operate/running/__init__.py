"""Running Ansible: what it is given, what it tells while it runs, and how that is shown."""
