"""Files of people without a job: everything is done as the person, never as the hub."""
