"""Built-in actions, each found by entry point like anyone's."""
