"""The front: Apache with mod_shib before the hub, and the Shibboleth service provider's files."""
