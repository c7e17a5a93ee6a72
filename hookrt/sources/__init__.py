"""Built-in sources, each found by entry point like anyone's. None yet: inbound webhooks and schedules come later."""
