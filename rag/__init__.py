"""Beleg: answers about a dossier of news articles, every statement with its exact citation."""
