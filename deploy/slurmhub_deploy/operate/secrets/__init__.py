"""The secrets of a site: which there are, where they come from, and the vault that keeps them."""
