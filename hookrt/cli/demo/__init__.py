"""The tour: a stage (service and receiver), sample events, and a narrator who tells what happens to each event."""
