"""Serve every stand-in from one process: `python -m apps.marketplaces.standins --port 8900 --skus 300 --seed 1`.

The shop opens to OZON_CLIENT_ID and OZON_API_KEY of the environment, the one in KeyCRM (`--orders 1000000` of them,
under `/keycrm/v1`) to KEYCRM_API_KEY, or to the keys in `registry.py`; the bot to TELEGRAM_BOT_TOKEN, or to any
well-formed token.
"""

import argparse
import os
import signal
import sys

from apps.marketplaces.standins.registry import API_KEY, CLIENT_ID, CRM_API_KEY, Crm, Shop, build
from apps.marketplaces.standins.server import Server
from apps.marketplaces.standins.world import HISTORY_DAYS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m apps.marketplaces.standins", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--skus", type=int, default=300, help="products in the world's shop")
    parser.add_argument("--history-days", type=int, default=HISTORY_DAYS, help="days of sales behind it")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument("--orders", type=int, default=3_000, help="orders of the shop in KeyCRM")
    parser.add_argument("--crm-history-days", type=int, default=400, help="days that they were made on")
    parser.add_argument("--shared", type=int, default=0, help="products that both shops sell, under one SKU")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    # uvicorn stops by itself and then raises the signal again: after a clean stop that is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    client_id = os.environ.get("OZON_CLIENT_ID") or CLIENT_ID
    api_key = os.environ.get("OZON_API_KEY") or API_KEY
    shop = Shop(client_id, api_key, seed=chosen.seed, skus=chosen.skus, history_days=chosen.history_days)
    crm_key = os.environ.get("KEYCRM_API_KEY") or CRM_API_KEY
    crm = Crm(crm_key, orders=chosen.orders, history_days=chosen.crm_history_days, shared=chosen.shared)
    standins = build(shops=[shop], bot_token=os.environ.get("TELEGRAM_BOT_TOKEN") or None, crm=crm)
    Server(standins.frame, host=chosen.host, port=chosen.port).run()


if __name__ == "__main__":
    main()
