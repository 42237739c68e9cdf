"""What goes to the hosts: this project's wheels, the locks of what it needs, and bundles of it."""
