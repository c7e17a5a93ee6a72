"""The nouns of hookrt: frozen dataclasses, no I/O."""
