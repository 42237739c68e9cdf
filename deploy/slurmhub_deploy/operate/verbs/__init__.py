"""The daily verbs: each asks or changes one thing of running hosts."""
