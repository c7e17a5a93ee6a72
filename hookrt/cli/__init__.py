"""The `hookrt` command: one file per command in `commands/`, one look in `render.py`, one place for failures."""
