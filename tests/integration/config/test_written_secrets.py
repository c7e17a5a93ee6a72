"""A `Secret` that somebody wrote into the file, however deep, is as hidden as one of a provider."""

from pydantic import Field

from hookrt.plugin import Action, Outcome, Secret, Settings, Source


class Login(Settings):
    user: str
    password: Secret


class TellSettings(Settings):
    token: Secret | None = None
    logins: list[Login]
    headers: dict[str, Secret] = Field(default_factory=dict)
    text: str = ""


class Tell(Action[TellSettings]):
    """Tell it all, as a careless plugin would."""

    name = "tell"

    async def run(self, call):
        told = call.settings
        passwords = [login.password.get_secret_value() for login in told.logins]
        call.log.info("told", headers={name: one.get_secret_value() for name, one in told.headers.items()})
        return Outcome.reject("told", f"{passwords} {told.token.get_secret_value()} {told.text}")


class Feed(Source[TellSettings]):
    """Nothing."""

    name = "feed"

    async def run(self, source):
        return None


HOOKS = """
sources:
  nothing: {feed: {logins: [{user: eve, password: of-the-feed-1}]}}
hooks:
  all:
    on: "**"
    steps:
      - tell:
          token: token-in-the-file
          logins:
            - {user: ada, password: deep-in-a-list}
            - {user: "${{ event.data.user }}", password: beside-an-expression}
          headers: {x-key: in-a-mapping}
          text: of-the-feed-1 and plain-text
"""


def test_secrets_that_are_written_out_do_not_show_in_records(hookrt_runtime):
    runtime = hookrt_runtime(HOOKS, actions=[Tell], sources=[Feed])
    [delivered] = runtime.emit("User.Created", {"user": "bob"})
    assert delivered.last.message == "['***', '***'] *** *** and plain-text"
    assert "in-a-mapping" not in f"{delivered.last.logs}"
