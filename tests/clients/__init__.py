"""Clients of others against a real Beleg, each in an environment of its own: `make clients`."""
