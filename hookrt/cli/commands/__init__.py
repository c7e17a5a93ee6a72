"""One file per command. Each has an `app`, and may import what it likes: it is loaded when its command is called."""
