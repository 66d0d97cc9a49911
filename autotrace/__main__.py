"""`python -m autotrace`: takes the command line, ends as the program or the command does."""

from autotrace.cli.main import main

if __name__ == "__main__":
    status = main()
    if status:
        raise SystemExit(status)
