"""The REST API of courses: a table of operations, its handlers, and its OpenAPI document."""
