"""From a site file to running hosts, and the daily verbs of whoever runs them."""
