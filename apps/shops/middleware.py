"""What every page of the web process shares: the person's language, and a trail of what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation

from apps.shops.asking import person_of, seller_of_request
from apps.shops.audit import record

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]

REFUSALS = (403, 404)
# The admin's widgets need eval (Alpine) and styles in place; nothing comes from another host, nothing goes there.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def speak(get_response: Handler) -> Handler:
    """Pages speak the person's language; before the login, the browser's (LocaleMiddleware)."""

    def answer(request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        if person:
            translation.activate(person.language)
        return get_response(request)

    return answer


def guard(get_response: Handler) -> Handler:
    """Limit what a page may load, and write down whoever asks the admin for what is not there, or not theirs."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        if response.status_code in REFUSALS and request.path.startswith(reverse("admin:index")):
            _remember(request, response.status_code)
        return response

    return answer


def _remember(request: HttpRequest, status: int) -> None:
    if request.user.is_authenticated:
        record(
            "admin.refused",
            actor=person_of(request),
            seller=seller_of_request(request),
            subject=request.path[:200],
            method=request.method,
            status=status,
            login=request.user.get_username(),
        )
