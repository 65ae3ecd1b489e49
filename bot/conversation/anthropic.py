"""The model behind Anthropic's Messages API: the only module that imports the SDK, and only when it is first needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import structlog

from bot.conversation.assembly import Assembly, broken
from bot.conversation.model import Fault, ModelEvent, ModelRequest, ModelUnavailable
from bot.domain import Message
from bot.errors import UsageError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic._middleware import AsyncCallNext
    from anthropic._request import APIRequest

log = structlog.get_logger(__name__)

DEFAULT_MODEL = "claude-sonnet-5-5"
DEFAULT_URL = "https://api.anthropic.com"

_LONGEST_WAIT = 8.0  # seconds of Retry-After worth waiting for while a person waits
# Models from before mid-conversation system messages: theirs go into the user's message, labelled.
_WITHOUT_SYSTEM_MESSAGES = tuple(
    f"claude-{model}" for model in ("opus-4-5", "opus-4-6", "opus-4-7", "sonnet-4", "haiku-4")
)

_STATUS_FAULTS = {
    400: (Fault.REJECTED, "it refused the request as malformed"),
    401: (Fault.KEY, "its API key is not accepted; check ANTHROPIC_API_KEY"),
    402: (Fault.KEY, "its account has no credit left"),
    403: (Fault.KEY, "its API key may not use this model"),
    404: (Fault.REJECTED, "it does not know the configured model; check DIRECTOR_MODEL"),
    413: (Fault.TOO_LONG, "this conversation has grown too long for it"),
    429: (Fault.BUSY, "it is at its rate limit just now"),
    503: (Fault.BUSY, "it is overloaded just now"),
    529: (Fault.BUSY, "it is overloaded just now"),
}
_TYPE_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "authentication_error": 401, "permission_error": 403}


class AnthropicModel:
    """Streams answers of one configured model.

    `seconds` is the wall-clock limit of one request, pings or not; `silence` the longest wait for the next byte.
    """

    notice: str | None = None

    def __init__(
        self,
        *,
        api_key: str,
        name: str = DEFAULT_MODEL,
        base_url: str = DEFAULT_URL,
        seconds: float = 240.0,
        silence: float = 60.0,
        retries: int = 2,
    ) -> None:
        if not api_key or not base_url:  # an empty URL would break every call of the SDK, in other words
            raise UsageError("The model needs a key and an address: set ANTHROPIC_API_KEY, unset ANTHROPIC_BASE_URL.")
        self.name = name
        self._api_key = api_key
        self._base_url = base_url
        self._seconds = seconds
        self._silence = silence
        self._retries = retries
        self._loaded: tuple[AsyncAnthropic, ModuleType] | None = None
        self._loading = asyncio.Lock()

    def __repr__(self) -> str:
        return f"AnthropicModel({self.name!r})"

    async def warm_up(self) -> None:
        """Import the SDK (1.4 s) in a thread and make the client."""
        await self._ready()

    async def close(self) -> None:
        if self._loaded is not None:
            client, _ = self._loaded
            self._loaded = None
            await client.close()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        client, sdk, http = *await self._ready(), _http()
        assembly = Assembly()
        # The limit lies around each wait and never around a yield: there it would cancel whoever listens.
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(deadline):
                events = await client.messages.create(**wire(self.name, request), stream=True)
            async with events:
                incoming = aiter(events)
                while True:
                    async with asyncio.timeout_at(deadline):
                        event = await anext(incoming, None)
                    if event is None:
                        break
                    if (news := assembly.feed(event.to_dict(warnings=False))) is not None:
                        yield news
        except TimeoutError as error:
            raise ModelUnavailable("it took too long", fault=Fault.SILENT, retryable=True) from error
        except sdk.APIStatusError as error:
            raise _status(error.status_code, error.type, error.request_id) from error
        except (sdk.APITimeoutError, http.TimeoutException) as error:
            raise ModelUnavailable("it did not answer in time", fault=Fault.SILENT, retryable=True) from error
        except (sdk.APIConnectionError, http.TransportError) as error:
            raise ModelUnavailable(
                "the connection to it could not be made or broke", fault=Fault.UNREACHABLE, retryable=True
            ) from error
        except (sdk.AnthropicError, http.HTTPError, http.StreamError, http.InvalidURL, ValueError) as error:
            log.warning("model.answer_unreadable", error=type(error).__name__)
            raise broken("its answer could not be read") from error
        yield assembly.whole()

    async def _ready(self) -> tuple[AsyncAnthropic, ModuleType]:
        async with self._loading:
            if self._loaded is None:
                sdk = await asyncio.to_thread(_sdk)
                client = sdk.AsyncAnthropic(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    max_retries=self._retries,
                    timeout=_http().Timeout(self._silence, connect=10.0),
                    middleware=[_cap_retry_after],
                )
                self._loaded = client, sdk
            return self._loaded


def wire(name: str, request: ModelRequest) -> dict[str, Any]:
    """The request as the API takes it: frozen prefix cached for an hour, the thread as far as it goes.

    No sampling, no forced tool and no thinking setting: the 5.5 models refuse them.
    """
    body: dict[str, Any] = {
        "model": name,
        "max_tokens": request.max_tokens,
        "system": [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": _messages(name, request.messages),
        "cache_control": {"type": "ephemeral"},
    }
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
            for tool in sorted(request.tools, key=lambda tool: tool.name)
        ]
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    return body


def _messages(name: str, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    fold = name.startswith(_WITHOUT_SYSTEM_MESSAGES)
    sent: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system" and fold and sent:
            note = {"type": "text", "text": f"<operator>\n{message.content}\n</operator>"}
            before = sent[-1]["content"]
            blocks = [{"type": "text", "text": before}] if isinstance(before, str) else list(before)
            sent[-1] = {"role": sent[-1]["role"], "content": [*blocks, note]}
        else:
            sent.append({"role": message.role, "content": message.content})
    return sent


def _status(status: int, kind: str | None, request_id: str | None) -> ModelUnavailable:
    # An error event inside a stream has HTTP status 200; then its type says what happened.
    code = _TYPE_STATUS.get(kind or "", 500) if status < 400 else status
    log.warning("model.refused_request", status=status, type=kind, request_id=request_id)
    fault, reason = _STATUS_FAULTS.get(
        code,
        (Fault.UNREACHABLE, "it has a fault of its own just now")
        if code >= 500
        else (Fault.REJECTED, f"it refused the request (status {code})"),
    )
    return ModelUnavailable(reason, fault=fault, retryable=fault in (Fault.BUSY, Fault.UNREACHABLE))


async def _cap_retry_after(request: APIRequest, call_next: AsyncCallNext) -> Any:
    """The SDK obeys any Retry-After, up to weeks; a person is waiting here."""
    response = await call_next(request)
    if response.status_code < 400:
        return response
    wait = response.headers.get("retry-after", "")
    milliseconds = response.headers.get("retry-after-ms", "")
    try:
        seconds = float(milliseconds) / 1000 if milliseconds else float(wait) if wait else 0.0
    except ValueError:
        seconds = _LONGEST_WAIT + 1  # a date: the SDK would wait for it
    if seconds > _LONGEST_WAIT:
        response.headers["x-should-retry"] = "false"
    return response


def _sdk() -> ModuleType:
    import anthropic  # noqa: PLC0415 - takes 1.4 s; only who asks the model pays for it

    return anthropic


def _http() -> ModuleType:
    import httpx2  # noqa: PLC0415 - comes with the SDK

    return httpx2
