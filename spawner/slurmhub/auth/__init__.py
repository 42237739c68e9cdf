"""Sign-in with Shibboleth: who the university says a person is, and what follows from that."""
