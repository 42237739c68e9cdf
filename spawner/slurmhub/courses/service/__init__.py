"""The courses service: a process beside the hub, with the pages and the REST API of courses."""
