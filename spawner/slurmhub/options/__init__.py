"""What may be asked for: one schema, its validation, its form."""
