"""`python -m bots --poll`: the bot without a web server, for a laptop: it asks Telegram for its updates."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from bots.process import BotProcess, require_token  # noqa: E402 - Django must be set up first


async def poll() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with BotProcess(polls=True).running():
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bots", description="With a webhook: uvicorn bots.asgi:app")
    parser.add_argument(
        "--poll",
        action="store_true",
        required=True,
        help="ask Telegram for updates, whatever TELEGRAM_WEBHOOK_URL says; its webhook is taken away",
    )
    parser.parse_args()
    require_token()
    asyncio.run(poll())


if __name__ == "__main__":
    main()
