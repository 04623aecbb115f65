"""One way in for both API functions: a route says what it takes; all else about a call is checked here."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from grant_broker.api import body, query
from grant_broker.api.caller import caller_of
from grant_broker.api.headers import idempotency_key_of, if_match_of
from grant_broker.api.paths import base_path, own_path
from grant_broker.api.problems import problem
from grant_broker.api.query import Query
from grant_broker.api.resolver import APIGatewayRestResolver, Response
from grant_broker.api.responses import Answer
from grant_broker.domain.errors import NotFound
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.people import Caller
from grant_broker.domain.preconditions import Precondition

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

M = TypeVar("M", bound=BaseModel)
B = TypeVar("B")
Answering = TypeVar("Answering", bound=Callable[..., Answer])


class Call(NamedTuple):
    """One call that was let in: by whom, on which path, with which query parameters."""

    caller: Caller
    event: Mapping[str, Any]
    query: Query

    @property
    def route(self) -> str:
        """The method and the path."""
        return f"{self.event['httpMethod']} {self.event['path']}"

    @property
    def idempotency(self) -> Idempotency:
        """The idempotency key and the digest of the body."""
        text = (self.event.get("body") or "").encode(errors="surrogatepass")
        return Idempotency(idempotency_key_of(self.event), hashlib.sha256(text).hexdigest())

    def read(self, model: type[M], *, required: Collection[str] = (), **given: object) -> M:
        """The body as a model; `given` stands where the body is silent. InvalidRequest or TooLarge."""
        return body.read(model, self.event, required=required, **given)

    @property
    def if_match(self) -> Precondition:
        """The versions that the caller means to change; InvalidRequest."""
        return if_match_of(self.event)


class Route(NamedTuple):
    """One method of one path, and what answers it: given a broker, the Call and the parts of the path."""

    method: str
    path: str
    parameters: tuple[str, ...]
    takes_body: bool
    answer: Callable[..., Answer]


class Routes(Generic[B]):
    """The routes of one subject, apart from the function that includes them: each is given its broker."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def route(
        self, method: str, path: str, *, parameters: tuple[str, ...] = (), takes_body: bool = False
    ) -> Callable[[Answering], Answering]:
        """Register a route, as `Api.route` does; it is given the broker before the Call."""

        def register(answer: Answering) -> Answering:
            self.all.append(Route(method, path, parameters, takes_body, answer))
            return answer

        return register


class Api:
    """The routes of one function. `ensure_permitted` raises NotPermitted for a caller who may call none.

    It is asked by a middleware of the resolver, before every route: a route cannot forget it.
    """

    def __init__(self, ensure_permitted: Callable[[Caller], None]) -> None:
        self._ensure_permitted = ensure_permitted
        self._resolver = APIGatewayRestResolver()
        self._resolver.use([self._authorise])
        self._resolver.exception_handler(Exception)(self._refuse)
        # The gateway lets known routes through only; this is a path parameter that can be nobody's id.
        self._resolver.not_found(lambda _error: self._refuse(NotFound("there is no such thing")))

    def route(
        self, method: str, path: str, *, parameters: tuple[str, ...] = (), takes_body: bool = False
    ) -> Callable[[Answering], Answering]:
        """Register a route; it is given the Call and the parts of the path that stand in `<…>`.

        Refused before it is called: query parameters other than `parameters`, a body where it takes none,
        and a malformed Idempotency-Key.
        """

        def register(answer: Answering) -> Answering:
            @self._resolver.route(path, method)
            def respond(**named: str) -> Response[str]:
                event = self._resolver.current_event.raw_event
                call = Call(self._resolver.context["caller"], event, query.read(event, parameters))
                if not takes_body:
                    body.refuse_body(event)
                if method == "POST":
                    idempotency_key_of(event)
                parts = {name: unquote(part, errors="surrogatepass") for name, part in named.items()}
                return _respond(answer(call, **parts), event)

            return answer

        return register

    def include(self, routes: Routes[B], broker: Callable[[], B]) -> None:
        """Register all routes of a subject; `broker` is asked at each call."""
        for each in routes.all:

            def answer(call: Call, route: Route = each, **parts: str) -> Answer:
                return route.answer(broker(), call, **parts)

            self.route(each.method, each.path, parameters=each.parameters, takes_body=each.takes_body)(answer)

    def resolve(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one proxy event of API Gateway; every error, expected or not, with a problem document."""
        return self._resolver.resolve({**event, "path": own_path(event)}, context)

    def _refuse(self, error: Exception) -> Response[str]:
        return _respond(problem(error), self._resolver.current_event.raw_event)

    def _authorise(self, app: APIGatewayRestResolver, call_next: "NextMiddleware") -> Response[str]:
        caller = caller_of(app.current_event.raw_event)
        self._ensure_permitted(caller)
        app.context["caller"] = caller
        return call_next(app)


def _respond(answer: Answer, event: Mapping[str, Any]) -> Response[str]:
    headers = {"Cache-Control": "no-store"}
    if answer.location is not None:
        headers["Location"] = base_path(event) + answer.location
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if answer.etag is not None:
        headers["ETag"] = answer.etag
    return Response(
        status_code=answer.status, content_type=answer.content_type, body=answer.text, headers=headers
    )
