"""Stands in for the service of this name: tiny, quick, and keeps a journal."""
