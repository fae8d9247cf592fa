"""The commands, by what they are about: pulls, models on the volume, models in memory, speech."""
