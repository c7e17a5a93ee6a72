"""What is said of a message, and of the service at Slack."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from hookrt.plugin import Secret, Settings, check_url

API = "https://slack.com/api"
"""Where Slack's Web API is."""


def _check_secret_url(url: Secret) -> Secret:
    check_url(url.get_secret_value())
    return url


WebhookUrl = Annotated[Secret, AfterValidator(_check_secret_url)]
"""The URL of an incoming webhook; who knows it can post, so it is a secret."""

Channel = Annotated[str, Field(min_length=1, max_length=255, examples=["C0123456789"])]
Blocks = list[dict[str, Any]]


class ServiceSettings(Settings):
    """What stands under `service.actions.slack`."""

    webhook_url: WebhookUrl | None = Field(None, description="The incoming webhook of steps that say nothing else.")
    token: Secret | None = Field(None, description="The bot token (`xoxb-...`) of steps that have none of their own.")
    channel: Channel | None = Field(None, description="The channel of steps that say nothing else; needs `token`.")
    api: Annotated[str, AfterValidator(check_url)] = Field(API, description="Where the Web API is.")

    @model_validator(mode="after")
    def _one_default(self) -> Self:
        if self.channel is not None and self.token is None:
            raise ValueError("`channel` needs a `token`; an incoming webhook has a channel of its own")
        if self.channel is not None and self.webhook_url is not None:
            raise ValueError("set one of `webhook_url` and `channel`: a step that says nothing goes to one place")
        return self


class SlackSettings(Settings):
    """What a step says."""

    webhook_url: WebhookUrl | None = Field(
        None, description="The URL of an incoming webhook; write `${{ secrets.NAME }}`. In place of `channel`."
    )
    token: Secret | None = Field(None, description="A bot token in place of the service's; goes with `channel`.")
    channel: Channel | None = Field(None, description="The id of a channel or a user, posted to by chat.postMessage.")
    text: str | None = Field(
        None, description="The message in Slack's mrkdwn. What a `${{ }}` gives is text: `<!channel>` calls nobody."
    )
    text_as_is: str | None = Field(
        None,
        description="The message in mrkdwn that a step before has made: nothing is escaped, so trust what makes it.",
    )
    blocks: Blocks | None = Field(
        None, description="Block Kit. In keys called `text` what a `${{ }}` gives is text; all others get it as it is."
    )
    blocks_as_is: Blocks | None = Field(
        None, description="Block Kit that a step before has made: nothing is escaped, so trust what makes it."
    )
    thread_ts: str | None = Field(None, description="The `ts` of the message that this one answers.")
    username: str | None = Field(None, description="The name that is shown; needs the scope `chat:write.customize`.")
    icon_emoji: str | None = Field(None, description="The icon that is shown, like `:tada:`; needs that scope too.")

    @model_validator(mode="after")
    def _whole_message(self) -> Self:
        if self.webhook_url is not None and (self.channel is not None or self.token is not None):
            raise ValueError("`webhook_url` has a channel of its own: leave out `channel` and `token`")
        if self.token is not None and self.channel is None:
            raise ValueError("a `token` of the step goes with a `channel`")
        for name in ("text", "blocks"):
            if getattr(self, name) is not None and getattr(self, f"{name}_as_is") is not None:
                raise ValueError(f"set one of `{name}` and `{name}_as_is`")
        if all(one is None for one in (self.text, self.text_as_is, self.blocks, self.blocks_as_is)):
            raise ValueError("a message needs `text` or `blocks`")
        return self
