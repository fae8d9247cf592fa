"""What bench.speak measures with: what is spoken, by whom, and how it is told."""
