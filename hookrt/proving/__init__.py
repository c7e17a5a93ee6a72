"""The examples that hooks carry (`tests:`), run offline: by the engine's own trial, with time and answers made up."""
