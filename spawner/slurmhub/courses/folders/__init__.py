"""The folders of courses: what there should be, and the program of root's that sees to it."""
