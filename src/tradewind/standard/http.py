"""HTTP requests as tasks, and as conditions to wait for.

Where to: an absolute URL as endpoint, or a path below the address that a connection of type `http` holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from tradewind.sdk.binding import call_arguments
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.hooks import BaseHook
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.sensor import BaseSensorOperator, PokeReturnValue

from .deferring import default_deferrable, pause_here

TIMEOUT_SECONDS = 60.0
_CLIENT_OPTIONS = ("verify", "cert", "trust_env")
_OPTIONS = frozenset(
    {*_CLIENT_OPTIONS, "timeout", "allow_redirects", "max_redirects", "proxies", "stream", "check_response"}
)
"""Names in a connection's extra fields or in `extra_options` that are not headers."""


class HttpStatusError(AirflowException):
    """The server answered with an error.

    Parameters:
        response: the answer.
    """

    def __init__(self, response: httpx.Response) -> None:
        body = response.text[:200]
        super().__init__(
            f"{response.request.method} {response.request.url} was answered with {response.status_code} "
            f"{response.reason_phrase}{f': {body}' if body else ''}"
        )
        self.response = response
        self.status_code = response.status_code


class HttpHook(BaseHook):
    """Sends requests.

    Parameters:
        method: HTTP method.
        http_conn_id: connection of type `http`: host (with or without protocol), port, login and password for basic
            authentication; its extra fields are headers, and the options timeout, verify, allow_redirects,
            check_response.
        auth_type: makes an `httpx` authentication of (login, password); default basic.
    """

    conn_name_attr = "http_conn_id"
    default_conn_name: ClassVar[str] = "http_default"
    conn_type = "http"
    hook_name = "HTTP"

    def __init__(
        self,
        method: str = "POST",
        http_conn_id: str = default_conn_name,
        auth_type: Callable[[str, str], httpx.Auth] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.method = method.upper()
        self.http_conn_id = http_conn_id
        self.auth_type = auth_type or httpx.BasicAuth
        self.base_url = ""

    def run(
        self,
        endpoint: str | None = None,
        data: Any = None,
        headers: Mapping[str, Any] | None = None,
        extra_options: Mapping[str, Any] | None = None,
        **request_kwargs: Any,
    ) -> httpx.Response:
        """Send one request.

        Parameters:
            endpoint: absolute URL, or path below the connection's address.
            data: query parameters for GET and HEAD, else the body (a dict: form fields; text or bytes: as they are).
            headers: in addition to those of the connection.
            extra_options: timeout (seconds), verify, allow_redirects, check_response.
            request_kwargs: further arguments of the request (`json=`, `params=`, `files=`...).

        Raises:
            HttpStatusError: status 400 and above, unless `check_response` is false.
            AirflowNotFoundException: the connection is not defined, and the endpoint is no absolute URL.
            httpx.TransportError: no answer.
        """
        url, auth, all_headers, options = self._prepared(endpoint, headers, extra_options)
        request: dict[str, Any] = {"headers": all_headers, **_body(self.method, data), **request_kwargs}
        client_options = {name: options[name] for name in _CLIENT_OPTIONS if name in options}
        self.log.info("Sending %s to %s", self.method, url)
        with httpx.Client(
            auth=auth,
            timeout=options.get("timeout", TIMEOUT_SECONDS),
            follow_redirects=bool(options.get("allow_redirects", True)),
            **client_options,
        ) as client:
            response = client.request(self.method, url, **request)
        # Checks written for the `requests` library ask for it.
        response.ok = response.is_success  # type: ignore[attr-defined]
        if response.is_error and options.get("check_response", True):
            raise HttpStatusError(response)
        return response

    def _prepared(
        self, endpoint: str | None, headers: Mapping[str, Any] | None, extra_options: Mapping[str, Any] | None
    ) -> tuple[str, httpx.Auth | None, dict[str, str], dict[str, Any]]:
        given = {str(name): str(value) for name, value in (headers or {}).items()}
        if endpoint and "://" in endpoint:
            return endpoint, None, given, dict(extra_options or {})
        connection = self.get_connection(self.http_conn_id)
        extra = connection.extra_dejson
        options = {name: _option(name, value) for name, value in extra.items() if name in _OPTIONS}
        options.update(extra_options or {})
        own = {name: str(value) for name, value in extra.items() if name not in _OPTIONS}
        auth = self.auth_type(connection.login, connection.password or "") if connection.login else None
        host = connection.host or ""
        self.base_url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
        if connection.port:
            self.base_url += f":{connection.port}"
        return self.url_from_endpoint(endpoint), auth, {**own, **given}, options

    def url_from_endpoint(self, endpoint: str | None) -> str:
        """The connection's address and the endpoint, with one slash between them."""
        if not endpoint:
            return self.base_url
        return f"{self.base_url.rstrip('/')}/{endpoint.lstrip('/')}"

    def test_connection(self) -> tuple[bool, str]:
        """Whether the server answers."""
        try:
            self.run()
        except (AirflowException, httpx.HTTPError) as error:
            return False, str(error)
        return True, "Connection successfully tested"


def _option(name: str, value: Any) -> Any:
    """An option as it is meant: in the URI form of a connection everything is a text. Raises `AirflowException`."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if name not in ("timeout", "max_redirects"):
        return value
    try:
        return float(value) if name == "timeout" else int(value)
    except ValueError:
        raise AirflowException(f"extra field {name!r} of the connection must be a number, not {value!r}") from None


def _body(method: str, data: Any) -> dict[str, Any]:
    if data is None or data == {} or data == "":
        return {}
    if method in ("GET", "HEAD"):
        return {"params": data}
    return {"content": data} if isinstance(data, str | bytes) else {"data": data}


class HttpOperator(BaseOperator):
    """Send a request; the text of the answer is the task's output.

    Parameters:
        endpoint: absolute URL, or path below the connection's address; templated.
        method: HTTP method.
        data: query parameters (GET) or body; templated.
        headers: templated.
        pagination_function: gets a response, returns the arguments of the next request (a dict with endpoint, data,
            headers, extra_options), or None when there is no further page. The output is a list then.
        response_check: gets the response and the context variables it names; false fails the task.
        response_filter: makes the output of the response (of the list of them, with pagination).
        extra_options: see `HttpHook.run`.
        request_kwargs: further arguments of the request; templated.
        http_conn_id: the connection; templated.
        log_response: write the answer to the log.
        auth_type: see `HttpHook`.
    """

    template_fields: Sequence[str] = ("endpoint", "data", "headers", "http_conn_id", "request_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"headers": "json", "data": "py"}
    ui_color = "#f4a460"

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        method: str = "POST",
        data: Any = None,
        headers: dict[str, str] | None = None,
        pagination_function: Callable[..., dict[str, Any] | None] | None = None,
        response_check: Callable[..., Any] | None = None,
        response_filter: Callable[..., Any] | None = None,
        extra_options: dict[str, Any] | None = None,
        request_kwargs: dict[str, Any] | None = None,
        http_conn_id: str = HttpHook.default_conn_name,
        log_response: bool = False,
        auth_type: Any = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.endpoint = endpoint
        self.method = method
        self.data = data if data is not None else {}
        self.headers = headers or {}
        self.pagination_function = pagination_function
        self.response_check = response_check
        self.response_filter = response_filter
        self.extra_options = extra_options or {}
        self.request_kwargs = request_kwargs or {}
        self.http_conn_id = http_conn_id
        self.log_response = log_response
        self.auth_type = auth_type

    @property
    def hook(self) -> HttpHook:
        return HttpHook(self.method, self.http_conn_id, self.auth_type)

    def execute(self, context: Any) -> Any:
        if self.deferrable:
            return self._send_elsewhere({})
        response = self.hook.run(self.endpoint, self.data, self.headers, self.extra_options, **self.request_kwargs)
        if self.pagination_function is None:
            return self.process_response(context, response)
        return self.process_response(context, self._all_pages(response))

    def _send_elsewhere(self, changed: Mapping[str, Any], **kept: Any) -> Any:
        """Let the triggerer send the request, with some of its parts `changed`."""
        from .http_triggers import HttpTrigger

        facts: dict[str, Any] = {
            "endpoint": self.endpoint,
            "data": self.data,
            "headers": self.headers,
            "extra_options": self.extra_options,
            **changed,
        }
        trigger = HttpTrigger(
            self.http_conn_id, self.auth_type, self.method, request_kwargs=self.request_kwargs, **facts
        )
        return self.defer(trigger=trigger, method_name="execute_complete", kwargs=kept or None)

    def execute_complete(self, context: Any, event: dict[str, Any], pages: list[dict[str, Any]] | None = None) -> Any:
        """The triggerer has an answer; there may be further pages. Raises `AirflowException` when it has none."""
        from .http_triggers import pack_response, unpack_response

        if event["status"] != "success":
            raise AirflowException(event["message"])
        response = unpack_response(event["response"])
        if self.pagination_function is None:
            return self.process_response(context, response)
        packed = [*(pages or ()), pack_response(response)]
        following = self.pagination_function(response)
        if following:
            return self._send_elsewhere(following, pages=packed)
        return self.process_response(context, [unpack_response(each) for each in packed])

    def _all_pages(self, response: httpx.Response) -> list[httpx.Response]:
        assert self.pagination_function is not None
        pages = [response]
        while following := self.pagination_function(pages[-1]):
            request = {
                "endpoint": self.endpoint,
                "data": self.data,
                "headers": self.headers,
                "extra_options": self.extra_options,
                **following,
            }
            pages.append(self.hook.run(**request, **self.request_kwargs))
        return pages

    def process_response(self, context: Any, response: httpx.Response | list[httpx.Response]) -> Any:
        """Check the answer and make the output. Raises `AirflowException` when `response_check` is false."""
        pages = response if isinstance(response, list) else [response]
        if self.log_response:
            for page in pages:
                self.log.info(page.text)
        if self.response_check is not None and not _called(self.response_check, response, context):
            raise AirflowException(
                f"response_check of task {self.task_id!r} returned false for {pages[-1].request.url}"
            )
        if self.response_filter is not None:
            return _called(self.response_filter, response, context)
        return [page.text for page in pages] if isinstance(response, list) else response.text


class HttpSensor(BaseSensorOperator):
    """Wait until a request is answered well.

    Parameters:
        endpoint: absolute URL, or path below the connection's address; templated.
        http_conn_id: the connection.
        method: HTTP method.
        request_params: query parameters or body; templated.
        headers: templated.
        response_error_codes_allowlist: statuses that mean "not yet"; every other error fails the task.
        response_check: gets the response and the context variables it names; a true answer, or a `PokeReturnValue`
            that is done, ends the wait.
        extra_options: see `HttpHook.run`.
        request_kwargs: further arguments of the request.
    """

    template_fields: Sequence[str] = ("endpoint", "request_params", "headers")

    def __init__(
        self,
        *,
        endpoint: str,
        http_conn_id: str = HttpHook.default_conn_name,
        method: str = "GET",
        request_params: dict[str, Any] | None = None,
        request_kwargs: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        response_error_codes_allowlist: list[str] | None = None,
        response_check: Callable[..., bool | PokeReturnValue] | None = None,
        extra_options: dict[str, Any] | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.endpoint = endpoint
        self.http_conn_id = http_conn_id
        self.method = method
        self.request_params = request_params or {}
        self.request_kwargs = request_kwargs or {}
        self.headers = headers or {}
        self.response_error_codes_allowlist = tuple(map(str, response_error_codes_allowlist or ("404",)))
        self.response_check = response_check
        self.extra_options = extra_options or {}

    def execute(self, context: Any) -> Any:
        if not self.deferrable:
            return super().execute(context)
        answer = self.poke(context)
        if answer:
            return answer.xcom_value if isinstance(answer, PokeReturnValue) else None
        return self._wait_elsewhere()

    def _wait_elsewhere(self) -> Any:
        from .http_triggers import HttpSensorTrigger

        trigger = HttpSensorTrigger(
            self.endpoint,
            self.http_conn_id,
            self.method,
            self.request_params,
            self.headers,
            self.extra_options,
            self.poke_interval,
            list(self.response_error_codes_allowlist),
            self.request_kwargs,
        )
        return self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=self.timeout))

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """The triggerer has a good answer; whether `response_check` agrees is seen here, and if not it waits on.

        Raises:
            AirflowException: the answer was a bad one.
        """
        if event["status"] != "success":
            raise AirflowException(event["message"])
        if self.response_check is None:
            return None
        answer = self.poke(context)
        if isinstance(answer, PokeReturnValue) and answer.is_done:
            return answer.xcom_value
        if answer:
            return None
        pause_here(self.poke_interval)
        return self._wait_elsewhere()

    def poke(self, context: Any) -> bool | PokeReturnValue:
        hook = HttpHook(self.method, self.http_conn_id)
        try:
            response = hook.run(
                self.endpoint, self.request_params, self.headers, self.extra_options, **self.request_kwargs
            )
        except HttpStatusError as error:
            if str(error.status_code) in self.response_error_codes_allowlist:
                self.log.info("%s", error)
                return False
            raise
        except httpx.TransportError as error:
            self.log.info("no answer yet: %s", error)
            return False
        if self.response_check is None:
            return True
        answer = _called(self.response_check, response, context)
        return answer if isinstance(answer, PokeReturnValue) else bool(answer)


def _called(function: Callable[..., Any], response: Any, context: Mapping[str, Any]) -> Any:
    return function(response, **call_arguments(function, (response,), {}, context))
