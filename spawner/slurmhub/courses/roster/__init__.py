"""Who is in a course: the registrar's files read, their people found, and codes to join with."""
