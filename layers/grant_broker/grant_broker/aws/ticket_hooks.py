"""Lambda, for one thing: to ask an operator's function whether a ticket stands."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of
from grant_broker.domain.errors import HookFailed
from grant_broker.domain.tickets import TicketAnswer, TicketQuestion, read_answer

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LARGEST = 64 * 1024  # bytes of an answer: it is a sentence


class TicketHooks:
    """The functions that keys name. The client is made when the first is asked: most stacks have none."""

    def __init__(self, create_client: "Callable[[], LambdaClient]") -> None:
        self._create_client = create_client

    @cached_property
    def _client(self) -> "LambdaClient":
        return self._create_client()

    def ask(self, hook_arn: str, question: TicketQuestion) -> TicketAnswer:
        """Ask whether a ticket stands, within 2 s and once. HookFailed where there is no such answer."""
        try:
            answer = self._client.invoke(FunctionName=hook_arn, Payload=json.dumps(question).encode())
            text = answer["Payload"].read(_LARGEST + 1)
        except (ClientError, BotoCoreError) as error:
            raise HookFailed(code_of(error)) from error
        if "FunctionError" in answer:
            raise HookFailed(answer["FunctionError"])
        if len(text) > _LARGEST:
            raise HookFailed("AnswerTooLarge")
        try:
            return read_answer(text)
        except ValueError as error:
            raise HookFailed("NoAnswer") from error
