"""What Sirene's services agree on: errors, messages, subjects, manifests, the volume."""

__version__ = "0.1.0"
