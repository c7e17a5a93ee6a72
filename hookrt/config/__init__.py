"""From hooks.yaml to the model: documents with positions, hooks, destinations, sources, service settings, problems.

`load.load` is the way in. Nothing here raises for what somebody wrote: it becomes a problem with its place.
"""
