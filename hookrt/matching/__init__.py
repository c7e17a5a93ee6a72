"""Which hooks an event concerns, and what their expressions say of it: pure, no I/O.

`router` finds the hooks, `condition` and `template` are CEL in `when` and in `${{ }}`, `names` is the published list
of what an expression may mention.
"""
