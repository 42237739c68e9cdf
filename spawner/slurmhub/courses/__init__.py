"""Courses: what instructors make, for whom, with what of the cluster, and until when."""
