"""A whole site: empty hosts, an institution's identity provider, and a site file for them."""
