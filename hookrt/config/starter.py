"""The commented hooks.yaml that `hookrt init` writes."""

from __future__ import annotations

_STARTER = """\
# hooks.yaml: what happens when something happens.
#
#   hookrt check                 looks at this file and names every problem
#   hookrt test                  runs the tests in it, offline
#   hookrt run                   starts the service
#   hookrt receiver              shows what the webhook below sends (in another terminal)
#   hookrt emit User.Created --data '{"email": "Ada@Example.com"}'
#   hookrt explain EVENT.json    says for every hook whether it fires, and if not, why

defaults:
  timeout: 15s                   # of one attempt; a hook or a step can have its own

# Where webhooks go. Limits and signatures belong here.
destinations:
  receiver:
    url: http://localhost:4666
    # signing_secret: ${{ secrets.RECEIVER_SECRET }}   # the variable HOOKRT_SECRET_RECEIVER_SECRET
    # rate: 100/s
    concurrency: 4

hooks:
  welcome:
    description: A new user is greeted, and made known elsewhere
    on: User.Created             # one type, a list, or patterns: User.* (one segment), User.** (any depth)
    # An expression in CEL. A field that may be missing wants get(object, "path", default).
    when: get(event, "data.email", "") != ""
    steps:                       # in order; each sees what those before it gave
      - id: contact
        python: |
          def run(event, ctx):
              email = event["data"]["email"].lower()
              return {"email": email, "domain": email.partition("@")[2]}
      - webhook:
          to: receiver
          path: /contacts
          body: ${{ steps.contact.output }}
        retry: [5s, 1m, 10m]     # or standard (the default of webhooks), none, {exponential: {attempts: 5}}
      - log: "told the receiver of ${{ steps.contact.output.email }}"
    tests:                       # examples, which `hookrt test` runs offline; the receiver answers 200
      - name: addresses are lower case
        event: {data: {email: Ada@Example.com}}
        steps:
          webhook: {request: {path: /contacts, body: {email: ada@example.com}}}

  audit:
    description: Every event leaves a line in the log
    on: "**"                     # a pattern that begins with * wants quotes
    steps:
      - log: "${{ event.type }} from ${{ event.source }}"
"""


def starter_text() -> str:
    """The text of a hooks.yaml to start from; it loads without any problem."""
    return _STARTER
