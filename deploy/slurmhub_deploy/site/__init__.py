"""The site file: what an institution wants, in one typed file, and what follows from it."""
