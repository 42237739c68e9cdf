"""What a run would change, and whom that touches; nothing here changes anything."""
