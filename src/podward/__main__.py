"""`python -m podward` is `podward`."""

from podward.cli.main import entry

if __name__ == "__main__":
    entry()
