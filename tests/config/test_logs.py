"""No secret reaches a log line, whichever way it comes."""

from __future__ import annotations

import json
import logging
import logging.config
import sys

import pytest
import structlog

from config.logs import MASK, RedactingFormatter, configuration, redact


def line(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> str:
    formatter = RedactingFormatter(json=True, secrets=("canary-key", "abc"))
    caught = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, message, arguments, caught)
    vars(record).update(extra)
    return formatter.format(record)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "POST https://api.telegram.org/bot123:AA-b_c/sendMessage",
            f"POST https://api.telegram.org/bot{MASK}/sendMessage",
        ),
        ("Api-Key: 0b1c-22", f"Api-Key: {MASK}"),
        ("{'Client-Id': '12345', 'Api-Key': 'k-1'}", f"{{'Client-Id': '{MASK}', 'Api-Key': '{MASK}'}}"),
        ("Authorization: Bearer e30.sig rest", f"Authorization: {MASK} rest"),
        ("authorization=Basic dXNlcjpw", f"authorization={MASK}"),
        ("(b'api-key', b'k-1')", f"(b'api-key', b'{MASK}')"),
        (r'"{\"Api-Key\": \"k-1\", \"n\": 1}"', rf'"{{\"Api-Key\": \"{MASK}\", \"n\": 1}}"'),
        ("the client asked twice", "the client asked twice"),
    ],
)
def test_tokens_and_keys_in_headers_are_masked(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_configured_secret_is_masked_in_message_arguments_extras_and_tracebacks() -> None:
    with pytest.raises(ValueError, match="canary-key") as caught:
        int("canary-key")
    written = line("sent %s", "canary-key", error=caught.value, detail={"key": "canary-key"})
    assert "canary-key" not in written
    event = json.loads(written)
    assert event["event"] == f"sent {MASK}"
    assert event["detail"] == {"key": MASK}
    assert f"invalid literal for int() with base 10: '{MASK}'" in event["exception"]


def test_a_very_short_value_does_not_mask_innocent_words() -> None:
    assert json.loads(line("abc"))["event"] == "abc"


def test_an_event_of_structlog_comes_out_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(configuration(level="INFO", json=True, secrets=("canary-key",)))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stdout)
    structlog.get_logger("shop").info("sent", key="canary-key", sku=7)
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["key"], event["sku"], event["level"]) == ("sent", MASK, 7, "info")


def test_the_http_libraries_do_not_log_their_addresses() -> None:
    loggers = configuration(level="INFO", json=True, secrets=())["loggers"]
    assert {name: loggers[name]["level"] for name in ("httpx", "httpcore")} == {
        "httpx": "WARNING",
        "httpcore": "WARNING",
    }
