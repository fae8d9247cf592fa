"""`python -m sirene_downloader`."""

from sirene_downloader.app import main

if __name__ == "__main__":
    main()
