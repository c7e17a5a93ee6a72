"""Jobs: replays and cancellations of many, done in the background by the process that delivers."""
