"""What runs inside a worker process: the language policy and the loop that answers the service.

Nothing here may import the rest of hookrt: a worker starts in a tenth of a second and holds nothing of the service.
"""
