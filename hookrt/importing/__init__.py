"""FROM ELSEWHERE: files of other programs as a hooks.yaml of ours, with a note on all that does not mean the same.

What is translated lets nobody in who could not show the secret to the original; what could not be said so is left out.
"""
