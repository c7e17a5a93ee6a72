"""`python -m hookrt`: the same as the `hookrt` command."""

from __future__ import annotations

from hookrt.cli.main import main

if __name__ == "__main__":
    main()
