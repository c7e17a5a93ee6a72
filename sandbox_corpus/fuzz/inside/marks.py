"""What both sides of the fuzzers know: the secret, and how a finding is marked."""

CANARY = "canary-f0a7c1"
"""The secret that no program may show."""

FINDING = "FINDING: "
"""How a line of an answer's log begins that the watch wrote."""
