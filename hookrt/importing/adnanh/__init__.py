"""hooks.json and hooks.yaml of adnanh/webhook: read as that program reads them, then translated."""
