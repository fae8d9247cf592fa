"""`python -m sirene_cli` is `sirene`."""

from sirene_cli.main import main

main()
