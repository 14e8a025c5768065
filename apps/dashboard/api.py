"""The REST API: its routes, who gets in, and how it says what is wrong.

Every operation asks who calls, but for /health. An error is `{"detail": "..."}` with one sentence in the caller's
language. What no handler here knows is a defect and rises to the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from apps.analytics.errors import NotBuilt
from apps.common.errors import Denied, NotFound, UserError
from apps.dashboard import answers, celebrating, figures, health, lists
from apps.dashboard.caller import Session, Token
from apps.dashboard.limits import TooManyCalls
from apps.dashboard.parameters import BadParameter
from apps.dashboard.wire import Json

STORE_BUILD_SECONDS = 60
View = Callable[..., HttpResponseBase]


def _signed_in(view: View) -> View:
    """The document and its page are for people who are signed in; others are led to the login."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return checked


def _private(view: View) -> View:
    """Answers are compressed, and kept by nobody but the caller, who asks each time whether they are still good."""
    compress = GZipMiddleware(lambda request: HttpResponse())

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Cookie", "Authorization", "Accept-Language"])
        return compress.process_response(request, response)

    return answer


api = NinjaAPI(
    title="Vitrina",
    version=settings.RELEASE,
    description=(
        "Figures of a seller's shops, out of one store; lists of goods and decisions, to look at. "
        "Whoever sends the ETag of an answer as If-None-Match is told 304 while it is the same."
    ),
    urls_namespace="api",
    auth=[Token(), Session()],
    docs_decorator=_signed_in,
    renderer=Json(),
)
api.add_decorator(_private, mode="view")
for each in (figures.router, figures.directories, lists.router, celebrating.router):
    api.add_router("", each)
api.add_router("", health.router, auth=None)


@api.exception_handler(ValidationError)
def _wrong_parameter(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = error.errors[0]
    return _say(request, BadParameter(str(found["loc"][-1]), _values(found)), HTTPStatus.BAD_REQUEST)


def _values(found: dict[str, Any]) -> str | None:
    """The accepted ones, of a parameter that takes one of a few."""
    return ", ".join(re.findall("'([^']+)'", found["ctx"]["expected"])) if found["type"] == "literal_error" else None


@api.exception_handler(BadParameter)
def _bad_parameter(request: HttpRequest, error: BadParameter) -> HttpResponse:
    return _say(request, error, HTTPStatus.BAD_REQUEST)


@api.exception_handler(AuthenticationError)
def _stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = api.create_response(
        request, answers.Detail(_("Sign in, or give a token of yours.")), status=HTTPStatus.UNAUTHORIZED
    )
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(Denied)
def _denied(request: HttpRequest, error: Denied) -> HttpResponse:
    return _say(request, error, HTTPStatus.FORBIDDEN)


@api.exception_handler(NotFound)
def _not_found(request: HttpRequest, error: NotFound) -> HttpResponse:
    return _say(request, error, HTTPStatus.NOT_FOUND)


@api.exception_handler(TooManyCalls)
def _too_many(request: HttpRequest, error: TooManyCalls) -> HttpResponse:
    response = _say(request, error, HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(error.wait_seconds)
    return response


@api.exception_handler(NotBuilt)
def _not_built(request: HttpRequest, error: NotBuilt) -> HttpResponse:
    response = _say(request, error, HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(STORE_BUILD_SECONDS)
    return response


def _say(request: HttpRequest, error: UserError | HttpError, status: HTTPStatus) -> HttpResponse:
    return api.create_response(request, answers.Detail(str(error)), status=status)


def nowhere(request: HttpRequest) -> HttpResponse:
    """Below /api/, where nothing is: said as every error is."""
    return _say(
        request, NotFound(_("There is no such address; /api/docs lists those there are.")), HTTPStatus.NOT_FOUND
    )
