"""The HTTP door: taking events in, the API, health, and who may use them. Nothing here decides what a hook does."""
